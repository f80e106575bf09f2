import type {HealthState} from './hooks';
import {Arch, Plus, Warn} from './icons';
import {printable} from './trust';

interface Props {
  health: HealthState;
  development: boolean;
  can_clear: boolean;
  clear: () => void;
}

export function Header({health, development, can_clear, clear}: Props) {
  return (
    <header>
      <div class="bar">
        <h1 class="brand"><Arch /> Cloister</h1>
        <NetworkStatus health={health} development={development} />
        {can_clear && (
          <button type="button" class="quiet" onClick={clear} aria-label="New chat">
            <Plus /> <span class="label">New chat</span>
          </button>)}
      </div>
      {development && <DevelopmentBanner />}
    </header>
  );
}

// Colour is kept for trust; the state of the network is said in words and by the shape of the dot.
function NetworkStatus({health, development}: {health: HealthState; development: boolean}) {
  const {good, words} = status_words(health, development);
  return (
    <p class={good ? 'status good' : 'status'}>
      <span class="dot" aria-hidden="true" />
      {words.map((word, i) => <span key={i} class={i > 0 ? 'extra' : undefined}>{word}</span>)}
    </p>
  );
}

function status_words(state: HealthState, development: boolean): {good: boolean; words: string[]} {
  if (state.kind === 'unknown') return {good: false, words: ['Looking for the network']};
  if (state.kind === 'lost') return {good: false, words: ['Gateway does not answer']};
  if (state.kind === 'unwell') return {good: false, words: ['Gateway is not ready']};
  const {status, height, verified_nodes, chain_id} = state.health;
  const words = [];
  if (verified_nodes !== undefined) words.push(node_words(verified_nodes, development));
  if (height !== undefined) words.push(`height ${height.toLocaleString('en')}`);
  if (chain_id !== '') words.push(printable(chain_id));
  if (status !== 'ok') words.unshift(`Network: ${printable(status) || 'unknown'}`);
  return {good: status === 'ok', words: words.length > 0 ? words : ['Connected']};
}

function node_words(count: number, development: boolean): string {
  return `${count} ${development ? 'simulated' : 'verified'} ${count === 1 ? 'node' : 'nodes'}`;
}

function DevelopmentBanner() {
  return (
    <div class="banner" role="note">
      <Warn />
      <p><strong>development: no hardware protection</strong>
        <span> The machines of this network are simulated. Send nothing private.</span></p>
    </div>
  );
}
