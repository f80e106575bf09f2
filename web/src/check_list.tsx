import {useState} from 'preact/hooks';

import {check_words} from './checks';
import {Cross, Down, Tick} from './icons';
import type {Check, Level} from './trust';

// Every check in the order of the report, each opening to what was expected and what was found.
export function CheckList({checks, level}: {checks: Check[]; level: Level}) {
  const [all, set_all] = useState(false);
  const passed = checks.filter((check) => check.ok).length;
  return (
    <section class="checks">
      <div class="checks-head">
        <h3>
          {passed} of {checks.length} checks passed
          {level === 'development' && ', on simulated evidence'}
        </h3>
        <button type="button" class="quiet small" aria-pressed={all} onClick={() => set_all(!all)}>
          {all ? 'Close all' : 'Open all'}
        </button>
      </div>
      <ol>
        {checks.map((check, i) => {
          const {group} = check_words(check.name);
          const first = i === 0 || check_words(checks[i - 1]!.name).group !== group;
          return <CheckRow key={i} check={check} all={all} group={first ? group : ''} />;
        })}
      </ol>
    </section>
  );
}

function CheckRow({check, all, group}: {check: Check; all: boolean; group: string}) {
  const words = check_words(check.name);
  return (
    <li class={check.ok ? 'check' : 'check bad'} data-check={check.name}>
      {group !== '' && <p class="group">{group}</p>}
      <details open={all || !check.ok}>
        <summary>
          <span class="mark">{check.ok ? <Tick /> : <Cross />}</span>
          <span class="title">{words.title}</span>
          <span class="outcome">{check.ok ? 'passed' : 'failed'}</span>
          <span class="found">{check.found}</span>
          <Down />
        </summary>
        <div class="detail">
          {words.meaning !== '' && <p>{words.meaning}</p>}
          <dl>
            <div>
              <dt>Check</dt>
              <dd>
                <code>{check.name}</code>
              </dd>
            </div>
            <div>
              <dt>Expected</dt>
              <dd>{check.expected || 'not given'}</dd>
            </div>
            <div>
              <dt>Found</dt>
              <dd>{check.found || 'not given'}</dd>
            </div>
            <div>
              <dt>Source</dt>
              <dd>{check.source || 'not given'}</dd>
            </div>
          </dl>
          {check.raw !== undefined && <Raw raw={check.raw} />}
        </div>
      </details>
    </li>
  );
}

function Raw({raw}: {raw: string}) {
  return (
    <details class="raw">
      <summary>Raw bytes</summary>
      <pre tabIndex={0} aria-label="Raw bytes">
        <code>{raw}</code>
      </pre>
    </details>
  );
}
