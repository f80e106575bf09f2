// What stands between a prompt and its way out, and what an answer rests on: each check a row with
// what was found. The page judges records that the ledger proves; the evidence behind them was
// judged by the validators, and the page says so.
import {to_hex} from '../sealed/bytes';
import type {Instance, KeyConfig, KeySet, Model, NetworkPolicy, Receipt, Session} from './ledger';
import type {Network} from './network';
import type {Ledger} from './account';

export interface Row {
  name: string;
  ok: boolean;
  found: string;
}

export const kNotProven = [
  'that this page is the published one: whoever serves it could change its code',
  'that the evidence holds: the validators judged it, this page did not see it',
  'that the draw was fair: this page does not compute it again',
  'physical attacks on memory (DDR5 interposers can forge evidence)',
  'hardware faults that the vendors have not published',
  'that the answer is true',
  'that nobody sees from which account and when you asked, whom, and the buckets of the lengths',
];

export const kDevelopment = 'development: no hardware protection';

const kLeastKeyMs = 15 * 60_000;
const kClockSkewMs = 60_000;
// Statuses of a TCB, as the ledger numbers them.
const kStatuses = ['', 'up to date', 'software hardening needed', 'configuration needed'];

export const short = (bytes: Uint8Array): string => `${to_hex(bytes).slice(0, 16)}…`;
const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && to_hex(a) === to_hex(b);

export interface Proven {
  network: Network;
  session: Session;
  instance: Instance;
  policy: NetworkPolicy;
  model: Model;
  height: number;
}

// The newest key epoch that is valid now and long enough.
export function choose_keys(keys: KeySet, now_ms: number): KeyConfig | undefined {
  const live = keys.epochs.filter(
    ({valid_from_ms, valid_until_ms}) =>
      valid_from_ms <= BigInt(now_ms + kClockSkewMs) &&
      valid_until_ms >= BigInt(now_ms + kLeastKeyMs),
  );
  return live.at(-1);
}

export function is_development({network, instance}: Proven): boolean {
  return network.genesis.development || instance.development;
}

function chain_row(network: Network, ledger: Ledger): Row {
  const newest = ledger.newest;
  const agreeing = ledger.reports().filter(({state}) => state === 'agrees').length;
  const lying = ledger.reports().some(({state}) => state === 'lying');
  const power = newest ? `${newest.signed_power} of ${newest.total_power} signed` : 'no header';
  const compared = network.endpoints.length < 2 ? '; one endpoint: nobody compares' : '';
  const found = `height ${newest?.height ?? 0}, ${power}, ${agreeing} endpoints agree${compared}`;
  return {name: 'ledger_quorum', ok: newest !== undefined && !lying, found};
}

function platform_row({instance, policy, network}: Proven): Row {
  const accepted = instance.platforms.every(
    ({tcb_status, development}) =>
      (policy.accepted_statuses as number[] | Uint8Array).includes(tcb_status) &&
      (!development || (policy.allow_development && network.genesis.development)),
  );
  const names = instance.platforms.map(
    ({product, tcb_status, development}) =>
      `${product} (${kStatuses[tcb_status] ?? `status ${tcb_status}`}` +
      `${development ? ', simulated' : ''})`,
  );
  return {
    name: 'platforms',
    ok: accepted && instance.platforms.length > 0,
    found: names.join(', ') || 'none',
  };
}

// All that must hold before the prompt is sealed for this instance.
export function rows_before(proven: Proven, keys: KeyConfig | undefined, ledger: Ledger): Row[] {
  const {network, session, instance, policy, model, height} = proven;
  const active = instance.state === 'active' && instance.expires_height > BigInt(height);
  const drawn = session.on_ledger && same(session.instance, instance.id);
  const root = network.genesis.models[0]?.root;
  return [
    {name: 'genesis', ok: true, found: `${network.genesis.chain_id}, hash ${short(network.hash)}`},
    chain_row(network, ledger),
    {
      name: 'ledger_record',
      ok: active,
      found: active ? `registered at height ${instance.registered_height}` : instance.state,
    },
    {
      name: 'drawn',
      ok: drawn && session.state === 'assigned',
      found: drawn ? `instance ${short(instance.id)}, for this job` : 'another instance',
    },
    platform_row(proven),
    {
      name: 'policy',
      ok: instance.policy_version <= policy.version,
      found: `version ${policy.version}; verified under ${instance.policy_version}`,
    },
    {
      name: 'model_root',
      ok: same(root, model.root) && same(session.model_root, model.root),
      found: `${model.name}, ${short(model.root)}`,
    },
    {
      name: 'key_binding',
      ok: keys !== undefined,
      found: keys ? `X-Wing, epoch ${keys.epoch} of this instance` : 'no epoch that is valid now',
    },
  ];
}

export interface Expected {
  proven: Proven; // the session as it ended
  request_hash: Uint8Array;
  answer_hash: Uint8Array;
  prompt_tokens: number;
  completion_tokens: number;
}

// The receipt, whose signature held, says exactly this exchange (30-channels, 4).
export function rows_after(receipt: Receipt, expected: Expected): Row[] {
  const {network, session, instance, model} = expected.proven;
  const faults: [boolean, string][] = [
    [receipt.chain_id === network.genesis.chain_id, 'another chain'],
    [same(receipt.session, session.id) && receipt.sequence === 1n, 'another job'],
    [same(receipt.instance_id, instance.id), 'another instance'],
    [same(receipt.model_root, model.root), 'another model'],
    [same(receipt.request_hash, expected.request_hash), 'another request'],
    [same(receipt.answer_hash, expected.answer_hash), 'another answer'],
    [
      receipt.prompt_units === BigInt(expected.prompt_tokens) &&
        receipt.completion_units === BigInt(expected.completion_tokens),
      'other counts than it told',
    ],
    [
      receipt.cumulative_units <= receipt.prompt_units + receipt.completion_units,
      'more units than the answer took',
    ],
    [receipt.cumulative_units === session.cumulative_units, 'the ledger paid for another receipt'],
    [same(receipt.evidence_digest, instance.evidence_sha256), 'other evidence'],
  ];
  const fault = faults.find(([holds]) => !holds)?.[1];
  const answered = session.state === 'closed' && session.confirmed_height > 0n;
  return [
    {
      name: 'confirmed_before_compute',
      ok: answered,
      found: answered ? `input at height ${session.confirmed_height}` : session.state,
    },
    {
      name: 'receipt_signature',
      ok: fault === undefined,
      found: fault ?? `signed for ${receipt.prompt_units} + ${receipt.completion_units} units`,
    },
  ];
}
