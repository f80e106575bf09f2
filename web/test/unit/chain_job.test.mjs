// A job of the page without a gateway at a played ledger: nothing leaves while a check fails, and a
// job that is refunded is asked again, three times at most.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const {ask} = await load('../chain/job.ts');
const {encode, kInstance, kKeySet, kModel, kNetworkPolicy, kSession} = await load(
  '../chain/ledger/records.ts',
);
const {suite} = await load('../sealed/request.ts');

const id = (n) => new Uint8Array(32).fill(n);
const kNow = 1_800_000_000_000;
const kModelRecord = {
  root: id(2),
  name: 'model',
  tokenizer_digest: id(0),
  template_digest: id(0),
  size_bytes: 1n,
  licence: '',
  quantization: '',
  context_length: 2048,
  owner: undefined,
  owner_permille: 0,
  access: 'open',
  key_policy_sha256: id(0),
  deprecated: false,
};
const kPolicy = {
  version: 1n,
  accepted_statuses: [1],
  min_tcb_evaluation_number: 0n,
  denied_advisories: [],
  distrusted_products: [],
  releases: [],
  allow_development: true,
  denied_measurements: [],
  denied_platforms: [],
  paused_formats: [],
};

const kPlatform = {
  format: 1,
  product: 'TDX',
  id_hash: id(4),
  tcb_status: 1,
  advisories: [],
  tcb_evaluation_number: 0n,
  measurement: new Uint8Array(48),
  runtime_measurements: [],
  configuration: new Uint8Array(48),
  development: true,
  driver_version: '',
  firmware_version: '',
};

const instance = (state) => ({
  id: id(3),
  operator_account: id(5),
  identity_key: id(6),
  spki_sha256: id(0),
  key_config_sha256: id(0),
  claims: new Uint8Array(1),
  binding: new Uint8Array(64),
  evidence_sha256: id(7),
  platforms: [kPlatform],
  development: true,
  endpoint: 'node.example:1',
  offers: [],
  capacity: 1,
  open_sessions: 1,
  state,
  policy_version: 1n,
  registered_height: 1n,
  verified_height: 1n,
  expires_height: 1000n,
  draining: false,
  key_epoch: 1n,
  active_since: 1n,
  epoch_misses: 0,
  gpu_nonce: undefined,
});

const session = (state) => ({
  id: id(1),
  user: id(8),
  model_root: id(2),
  requirement: {formats: [], tcb_statuses: [], diversity: 1, gpu: false},
  max_units: 20_000n,
  price_cap_micro: 1n,
  deposit_micro: 1n,
  escrow_micro: 1n,
  paid_micro: 0n,
  lifetime_blocks: 60n,
  allow_audit: false,
  state,
  opened_height: 1n,
  request_height: 1n,
  due_height: 500n,
  instance: id(3),
  price_micro: 1n,
  assigned_height: 3n,
  confirmed_height: 0n,
  verdict_id: id(0),
  policy_version: 1n,
  cumulative_units: 0n,
  redraws: 0,
  misses: 0,
  excluded: [],
  model_owner: undefined,
  owner_permille: 0,
  on_ledger: true,
  settled: [],
  twin: undefined,
  apart_formats: [],
});

// One X-Wing key as an instance publishes it, and a second configuration behind it.
async function key_config() {
  const {kem} = suite();
  const {publicKey} = await kem.generateKeyPair();
  const key = new Uint8Array(await kem.serializePublicKey(publicKey));
  const head = [0x04, 0xc9, 0, 0x64, 0x7a];
  return Uint8Array.from([...head, ...key, 0, 4, 0, 1, 0, 2, 0, 0]);
}

async function scene({instance_state = 'active', after_input = 'refunded'} = {}) {
  const epochs = [
    {
      epoch: 1n,
      valid_from_ms: BigInt(kNow),
      valid_until_ms: BigInt(kNow + 3_600_000),
      config: await key_config(),
    },
  ];
  const sent = [];
  const steps = [];
  const posted = () => sent.at(-1)?.kind === 'post_input';
  const records = {
    sessions: () => encode(kSession, session(posted() ? after_input : 'assigned')),
    instances: () => encode(kInstance, instance(instance_state)),
    policy: () => encode(kNetworkPolicy, kPolicy),
    models: () => encode(kModel, kModelRecord),
    keys: () => encode(kKeySet, {epochs}),
  };
  const ledger = {
    newest: {height: 50, signed_power: 1n, total_power: 1n},
    reports: () => [{state: 'agrees'}],
    read: async (family) => ({value: records[family](), height: 50, block_time_ms: kNow}),
    watch: async () => ({}),
  };
  const account = {
    send: async ({kind}, body) => {
      sent.push({kind, body});
      return {height: 40, data: id(1)};
    },
  };
  const network = {
    genesis: {chain_id: 'chain', development: true, models: [kModelRecord]},
    hash: id(9),
    endpoints: ['http://one'],
    blobs: undefined,
  };
  const parts = {network, ledger, account, now: () => kNow, on_step: (step) => steps.push(step)};
  return {parts, sent, steps};
}

test('while a check fails nothing of the prompt is sent', async () => {
  for (const state of ['unverified', 'expired', 'retired', 'revoked']) {
    const {parts, sent} = await scene({instance_state: state});
    await assert.rejects(ask(parts, 'a secret'), /not sent: ledger_record/, state);
    assert.deepEqual(
      sent.map(({kind}) => kind),
      ['submit_job'],
    );
  }
});

test('a refunded job is asked again, three times at most, and only as ciphertext', async () => {
  const {parts, sent, steps} = await scene();
  await assert.rejects(ask(parts, 'a secret'), /the ledger refunded the job/);
  const kinds = ['submit_job', 'post_input'];
  assert.deepEqual(
    sent.map(({kind}) => kind),
    [...kinds, ...kinds, ...kinds],
  );
  assert.equal(steps.filter(({name}) => name === 'refunded').length, 2);
  for (const {kind, body} of sent) {
    if (kind !== 'post_input') continue;
    assert.ok(!Buffer.from(body.input.inline_bytes).includes('a secret'));
    assert.deepEqual(body.instance, id(3));
  }
});

test('a prompt that does not fit the ledger is refused before anything is sent', async () => {
  const {parts, sent} = await scene();
  await assert.rejects(ask(parts, 'x'.repeat(15_001)), /too long for the ledger/);
  assert.deepEqual(sent, []);
  await assert.rejects(ask(parts, 'x'.repeat(15_000)), /refunded/, 'the longest that fits');
});

test('a ledger that does not end an overdue job is not waited for', async () => {
  const {parts} = await scene({after_input: 'confirmed'});
  await assert.rejects(ask(parts, 'hello'), /does not end the job/);
});
