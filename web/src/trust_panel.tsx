import {useEffect, useRef, useState} from 'preact/hooks';

import type {ReceiptState, Turn} from './chat';
import {CheckList} from './check_list';
import {use_copy} from './copy';
import {Close, Copy, Save, Shield, Warn} from './icons';
import type {TrustReport} from './trust';
import {kLevelWords, report_as_text, show_time} from './trust';

interface Props {
  receipt: ReceiptState & {kind: 'ready'};
  previous: TrustReport | undefined;
  modal: boolean;
  close: () => void;
}

// Why the answer should be trusted, how far, and what stays unproven.
export function TrustPanel({receipt, previous, modal, close}: Props) {
  const {report} = receipt;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section
      id="panel"
      class={`panel ${report.level}`}
      role="dialog"
      aria-modal={modal}
      aria-labelledby="panel-title"
    >
      <div class="panel-head">
        <h2 id="panel-title" ref={heading} tabIndex={-1}>
          Why trust this answer?
        </h2>
        <button type="button" class="quiet" aria-label="Close" onClick={close}>
          <Close />
        </button>
      </div>
      <div class="panel-body" tabIndex={0} aria-label="Trust report" role="region">
        <Verdict report={report} />
        {previous && <p class="since">{words_since(previous, report)}</p>}
        <CheckList checks={report.checks} level={report.level} />
        <NotProven lines={report.not_proven} />
        <Facts report={report} />
      </div>
      <PanelActions receipt={receipt} />
    </section>
  );
}

function Verdict({report}: {report: TrustReport}) {
  const {label, meaning} = kLevelWords[report.level];
  // A report that contradicts itself does not get to speak first.
  const doubted = report.level === 'failed' && report.contradictions.length > 0;
  const speaks = report.statement !== '' && !doubted;
  return (
    <section class="verdict">
      <p class="level">
        <Shield mark={report.level} size={28} /> {label}
      </p>
      <p class="statement">{speaks ? report.statement : meaning}</p>
      {speaks && report.level !== 'verified' && <p class="meaning">{meaning}</p>}
      {report.contradictions.length > 0 && (
        <div class="contradictions">
          <Warn />
          <ul>
            {report.contradictions.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </div>
      )}
      {doubted && report.statement !== '' && (
        <p class="meaning">The gateway reported: &ldquo;{report.statement}&rdquo;</p>
      )}
    </section>
  );
}

function NotProven({lines}: {lines: string[]}) {
  return (
    <section>
      <h3>What this does not prove</h3>
      {lines.length === 0 ? (
        <p class="muted">The report names nothing here. No proof covers everything.</p>
      ) : (
        <ul class="not-proven">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Facts({report}: {report: TrustReport}) {
  const checked_at = report.checked_at;
  return (
    <section class="facts">
      {report.facts.map(({title, rows}) => (
        <div key={title}>
          <h3>{title}</h3>
          <dl>
            {rows.map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd class={is_digest(value) ? 'digest' : undefined}>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
      <div>
        <h3>Receipt</h3>
        <dl>
          <div>
            <dt>Id</dt>
            <dd>{report.receipt_id}</dd>
          </div>
          {checked_at !== undefined && (
            <div>
              <dt>Checked</dt>
              <dd>{show_time(checked_at)}</dd>
            </div>
          )}
        </dl>
      </div>
    </section>
  );
}

function is_digest(value: string): boolean {
  return /^[0-9a-f]{32,}$/.test(value);
}

function PanelActions({receipt}: {receipt: ReceiptState & {kind: 'ready'}}) {
  const [state, copy] = use_copy();
  const [saved, set_saved] = useState(false);
  const name = `cloister-receipt-${receipt.id}.json`;
  const save = (): void => {
    save_file(name, receipt.bundle);
    set_saved(true);
  };
  return (
    <div class="panel-foot">
      <div class="actions">
        <button type="button" class="plain" onClick={save}>
          <Save /> Export as file
        </button>
        <button type="button" class="plain" onClick={() => copy(report_as_text(receipt.report))}>
          <Copy /> {state === 'idle' ? 'Copy as text' : state === 'done' ? 'Copied' : 'Not allowed'}
        </button>
      </div>
      <p class="small">
        Check it again, offline, without this page:
        <code>cloister verify-receipt {saved ? name : 'FILE'}</code>
      </p>
    </div>
  );
}

function save_file(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], {type: 'application/json'}));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// The report of the nearest earlier answer that has one.
export function previous_report(turns: readonly Turn[], id: number): TrustReport | undefined {
  const earlier = turns.filter((turn) => turn.id < id && turn.receipt.kind === 'ready').at(-1);
  return earlier?.receipt.kind === 'ready' ? earlier.receipt.report : undefined;
}

// What changed is said aloud; people do not compare digits.
function words_since(before: TrustReport, now: TrustReport): string {
  const changed = [
    ['machine', fact(before, 'Instance', 'Id') === fact(now, 'Instance', 'Id')],
    ['program', found(before, 'measurement') === found(now, 'measurement')],
    ['model', fact(before, 'Model', 'Root') === fact(now, 'Model', 'Root')],
    ['policy', fact(before, 'Ledger', 'Policy version') === fact(now, 'Ledger', 'Policy version')],
  ]
    .filter(([, same]) => !same)
    .map(([what]) => `another ${what}`);
  if (changed.length === 0)
    return 'Since the previous answer: same machine, program, model and policy.';
  return `Since the previous answer: ${changed.join(', ')}.`;
}

function fact(report: TrustReport, title: string, label: string): string | undefined {
  return report.facts.find((group) => group.title === title)?.rows.find(([l]) => l === label)?.[1];
}

function found(report: TrustReport, name: string): string | undefined {
  return report.checks.find((check) => check.name === name)?.found;
}
