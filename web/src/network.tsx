import {useEffect, useRef} from 'preact/hooks';

import type {Health, RefusedNode} from './api';
import type {HealthState} from './hooks';
import type {Protection} from './trust';
import {printable} from './trust';

interface Props {
  health: HealthState;
  protection: Protection;
}

// Colour is kept for trust; the state of the network is said in words and by the shape of the dot.
export function NetworkStatus({health: state, protection}: Props) {
  if (state.kind !== 'known') return <p class="status">{dotted([kUnknownWords[state.kind]])}</p>;
  const {health} = state;
  return (
    <Popover
      summary={dotted(status_words(health, protection))}
      kind={health.status === 'ok' ? 'status good' : 'status'}
    >
      <NetworkCard health={health} protection={protection} />
    </Popover>
  );
}

const kUnknownWords = {
  unknown: 'Looking for the network',
  lost: 'Gateway does not answer',
  unwell: 'Gateway is not ready',
};

function dotted(words: string[]) {
  return [
    <span key="dot" class="dot" aria-hidden="true" />,
    ...words.map((word, i) => (
      <span key={word} class={i > 0 ? 'extra' : undefined}>
        {word}
      </span>
    )),
  ];
}

function status_words(health: Health, protection: Protection): string[] {
  const {status, height, verified_nodes, chain_id} = health;
  const words = [];
  if (status !== 'ok') words.push(`Network: ${printable(status) || 'unknown'}`);
  if (verified_nodes !== undefined) words.push(node_words(verified_nodes, protection));
  if (height !== undefined) words.push(`height ${height.toLocaleString('en')}`);
  if (chain_id !== '') words.push(printable(chain_id));
  return words.length > 0 ? words : ['Connected'];
}

function node_words(count: number, protection: Protection): string {
  const kind = {real: 'verified ', development: 'simulated ', unknown: ''}[protection];
  return `${count} ${kind}${count === 1 ? 'node' : 'nodes'}`;
}

// What stands behind the status line, and who was turned away.
function NetworkCard({health, protection}: {health: Health; protection: Protection}) {
  const {chain_id, height, verified_nodes, status, refused_nodes} = health;
  const rows = [
    ['Network', printable(chain_id)],
    ['State', printable(status)],
    ['Height', height?.toLocaleString('en') ?? ''],
    ['Nodes', verified_nodes === undefined ? '' : node_words(verified_nodes, protection)],
  ].filter(([, value]) => value !== '');
  return (
    <div class="card">
      <dl>
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {refused_nodes.length > 0 && <Refused nodes={refused_nodes} />}
    </div>
  );
}

function Refused({nodes}: {nodes: RefusedNode[]}) {
  return (
    <div class="refused">
      <p>Refused, and nothing was sent to them:</p>
      <ul>
        {nodes.map(({instance, reason}) => (
          <li key={instance}>
            <code>{printable(instance).slice(0, 12)}</code> {printable(reason)}
          </li>
        ))}
      </ul>
    </div>
  );
}

// Closes on Escape, and on a press anywhere else.
function Popover(props: {
  summary: preact.ComponentChildren;
  kind: string;
  children: preact.ComponentChildren;
}) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const on_press = (event: Event): void => {
      if (box.current && !box.current.contains(event.target as Node)) box.current.open = false;
    };
    document.addEventListener('pointerdown', on_press);
    return () => document.removeEventListener('pointerdown', on_press);
  }, []);
  const on_key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !box.current?.open) return;
    event.stopPropagation();
    box.current.open = false;
    box.current.querySelector('summary')?.focus();
  };
  return (
    <details class="network" ref={box} onKeyDown={on_key}>
      <summary class={props.kind}>{props.summary}</summary>
      {props.children}
    </details>
  );
}
