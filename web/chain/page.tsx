// What the user sees: whom the page talks to, the wallet, the question, how far its job has come,
// the answer, and what was verified about it.
import {useEffect, useMemo, useState} from 'preact/hooks';

import {from_hex, to_hex} from '../sealed/bytes';
import {Account} from './account';
import {is_development, kDevelopment, kNotProven, type Row} from './checks';
import {type Answer, ask, JobError, type Step} from './job';
import {type SigningKey, signing_key} from './ledger';
import {LightClient} from './light';
import {type Network, network_beside_page, network_from_json} from './network';

const kSeedHex = /^[0-9a-f]{64}$/;

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// The key of the address leaves it at once, so that it is in no history.
function key_of_address(): string {
  const found = /^#key=([0-9a-f]{64})$/.exec(location.hash)?.[1] ?? '';
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return found;
}

function client_of(network: Network): LightClient {
  const {chain_id, validators, embedded, development} = network.genesis;
  return new LightClient({
    endpoints: network.endpoints,
    allow_single: development,
    chain_id,
    genesis_validators: validators,
    fixed_validators: embedded,
    now: () => Date.now(),
  });
}

export function Page() {
  const [network, set_network] = useState<Network>();
  const [fault, set_fault] = useState('');
  useEffect(() => {
    network_beside_page().then(set_network, (error) => set_fault(said(error)));
  }, []);
  const load = async (file: File | undefined) => {
    try {
      if (file) set_network(await network_from_json(await file.text()));
      set_fault('');
    } catch (error) {
      set_fault(said(error));
    }
  };
  return (
    <main>
      <h1>Cloister</h1>
      <p class="lead">
        A private question through the ledger itself: sealed in this page, answered inside a trusted
        execution environment, with no server between.
      </p>
      {fault !== '' && <Fault text={fault} />}
      {network ? (
        <Ask network={network} />
      ) : (
        <label class="field">
          Description of the network (JSON)
          <input type="file" onChange={(event) => load(event.currentTarget.files?.[0])} />
        </label>
      )}
    </main>
  );
}

function Fault({text}: {text: string}) {
  return (
    <p class="fault" role="alert">
      {text}
    </p>
  );
}

function Ask({network}: {network: Network}) {
  const ledger = useMemo(() => client_of(network), [network]);
  const [key, set_key] = useState<SigningKey>();
  const [prompt, set_prompt] = useState('');
  const [steps, set_steps] = useState<Step[]>([]);
  const [rows, set_rows] = useState<Row[]>([]);
  const [answer, set_answer] = useState<Answer>();
  const [fault, set_fault] = useState('');
  const [busy, set_busy] = useState(false);
  const account = useMemo(
    () => key && new Account(ledger, key, network.genesis.chain_id),
    [ledger, key, network],
  );

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!account || busy || prompt.trim() === '') return;
    set_busy(true);
    set_fault('');
    set_answer(undefined);
    set_rows([]);
    set_steps([]);
    const on_step = (step: Step) => set_steps((before) => [...before, step]);
    try {
      const got = await ask({network, ledger, account, now: () => Date.now(), on_step}, prompt);
      set_answer(got);
      set_rows(got.rows);
    } catch (error) {
      set_fault(said(error));
      if (error instanceof JobError) set_rows(error.rows);
    } finally {
      set_busy(false);
    }
  };

  return (
    <>
      {network.genesis.development && <p class="level development">{kDevelopment}</p>}
      <Wallet account={account} on_key={set_key} />
      <form onSubmit={submit}>
        <label class="field">
          Your question
          <textarea
            rows={4}
            value={prompt}
            onInput={(event) => set_prompt(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={!account || busy || prompt.trim() === ''}>
          Ask through the ledger
        </button>
        {!account && <span class="hint">A wallet key pays for the question.</span>}
      </form>
      <ol class="steps" aria-live="polite">
        {steps.map((step, i) => (
          <li key={i} data-step={step.name}>
            <b>{step.name}</b> {step.text}
          </li>
        ))}
        {busy && <li class="waiting">waiting for the ledger…</li>}
      </ol>
      {fault !== '' && <Fault text={fault} />}
      {answer && <Shown answer={answer} />}
      {rows.length > 0 && <Rows rows={rows} />}
    </>
  );
}

interface WalletParts {
  account: Account | undefined;
  on_key: (key: SigningKey) => void;
}

function Wallet({account, on_key}: WalletParts) {
  const [text, set_text] = useState(key_of_address);
  const [balance, set_balance] = useState('');
  const [fault, set_fault] = useState('');
  useEffect(() => {
    if (!kSeedHex.test(text)) return;
    signing_key(from_hex(text)).then(on_key, (error) => set_fault(said(error)));
  }, [text]);
  useEffect(() => {
    account?.balance_micro().then(
      (micro) => set_balance(`${micro} micro units`),
      (error) => set_fault(said(error)),
    );
  }, [account]);
  const make = () => set_text(to_hex(crypto.getRandomValues(new Uint8Array(32))));
  return (
    <section class="wallet" aria-label="Wallet">
      <label class="field">
        Wallet key
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => set_text(event.currentTarget.value.trim())}
        />
      </label>
      <button type="button" class="quiet" onClick={make}>
        Make a new key
      </button>
      <p class="hint">
        {account && `Account ${to_hex(account.id).slice(0, 16)}…, ${balance || 'reading'}. `}
        {text !== '' && !kSeedHex.test(text) && 'A key has 64 hexadecimal digits. '}
        The key stays in the memory of this page.
      </p>
      {fault !== '' && <Fault text={fault} />}
    </section>
  );
}

function Shown({answer}: {answer: Answer}) {
  const development = is_development(answer.proven);
  return (
    <section class="answer" data-state="done" aria-label="Answer">
      <p class="text">{answer.text}</p>
      <p class={development ? 'level development' : 'level network'}>
        {development ? kDevelopment : 'verified by network'}
      </p>
    </section>
  );
}

function Rows({rows}: {rows: Row[]}) {
  return (
    <section aria-label="What was verified">
      <h2>What was verified</h2>
      <ul class="checks">
        {rows.map(({name, ok, found}) => (
          <li key={name} data-check={name} class={ok ? '' : 'bad'}>
            <span class="mark">{ok ? 'holds' : 'FAILS'}</span> <b>{name}</b> {found}
          </li>
        ))}
      </ul>
      <h2>What is not proven</h2>
      <ul class="not-proven">
        {kNotProven.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}
