// What the page without a gateway refuses before it sends, and of an answer: one fault at a time.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const {rows_before, rows_after, choose_keys, is_development} = await load('../chain/checks.ts');
const {network_from_json} = await load('../chain/network.ts');

const id = (n) => new Uint8Array(32).fill(n);
const kNow = 1_800_000_000_000;

function proven() {
  const model = {root: id(2), name: 'model'};
  return {
    network: {
      genesis: {chain_id: 'chain', development: true, models: [model]},
      hash: id(9),
      endpoints: ['http://a', 'http://b'],
    },
    session: {
      id: id(1),
      on_ledger: true,
      state: 'assigned',
      instance: id(3),
      model_root: id(2),
      confirmed_height: 0n,
      cumulative_units: 0n,
    },
    instance: {
      id: id(3),
      state: 'active',
      expires_height: 100n,
      registered_height: 5n,
      policy_version: 1n,
      evidence_sha256: id(7),
      development: true,
      platforms: [{product: 'TDX', tcb_status: 1, development: true}],
    },
    policy: {version: 1n, accepted_statuses: [1], allow_development: true},
    model,
    height: 50,
  };
}

const ledger = (states = ['agrees', 'agrees'], newest = {height: 50}) => ({
  newest: newest ? {signed_power: 3n, total_power: 4n, ...newest} : undefined,
  reports: () => states.map((state) => ({state})),
});

const bad = (rows) => rows.filter(({ok}) => !ok).map(({name}) => name);

test('each single fault stops the prompt by its own row', () => {
  const keys = {epoch: 1n};
  assert.deepEqual(bad(rows_before(proven(), keys, ledger())), []);
  const cases = [
    ['ledger_record', (p) => (p.instance.state = 'revoked')],
    ['ledger_record', (p) => (p.instance.expires_height = 50n)],
    ['drawn', (p) => (p.session.instance = id(4))],
    ['drawn', (p) => (p.session.on_ledger = false)],
    ['drawn', (p) => (p.session.state = 'confirmed')],
    ['platforms', (p) => (p.instance.platforms[0].tcb_status = 3)],
    ['platforms', (p) => (p.instance.platforms = [])],
    ['platforms', (p) => (p.policy.allow_development = false)],
    ['platforms', (p) => (p.network.genesis.development = false)],
    ['policy', (p) => (p.instance.policy_version = 2n)],
    ['model_root', (p) => (p.model = {root: id(8), name: 'other'})],
    ['model_root', (p) => (p.session.model_root = id(8))],
  ];
  for (const [name, spoil] of cases) {
    const one = proven();
    spoil(one);
    assert.deepEqual(bad(rows_before(one, keys, ledger())), [name], `${spoil}`);
  }
  assert.deepEqual(bad(rows_before(proven(), undefined, ledger())), ['key_binding']);
  const lied = rows_before(proven(), keys, ledger(['agrees', 'lying']));
  assert.deepEqual(bad(lied), ['ledger_quorum']);
  assert.deepEqual(bad(rows_before(proven(), keys, ledger([], null))), ['ledger_quorum']);
});

test('a receipt that says anything else is refused', () => {
  const receipt = () => ({
    chain_id: 'chain',
    session: id(1),
    sequence: 1n,
    instance_id: id(3),
    model_root: id(2),
    request_hash: id(5),
    answer_hash: id(6),
    prompt_units: 20n,
    completion_units: 3n,
    cumulative_units: 23n,
    evidence_digest: id(7),
  });
  const expected = () => {
    const one = proven();
    one.session = {...one.session, state: 'closed', confirmed_height: 7n, cumulative_units: 23n};
    const hashes = {request_hash: id(5), answer_hash: id(6)};
    return {proven: one, ...hashes, prompt_tokens: 20, completion_tokens: 3};
  };
  assert.deepEqual(bad(rows_after(receipt(), expected())), []);
  const changes = {
    chain_id: 'other',
    session: id(0),
    sequence: 2n,
    instance_id: id(0),
    model_root: id(0),
    request_hash: id(0),
    answer_hash: id(0),
    prompt_units: 21n,
    completion_units: 4n,
    cumulative_units: 22n,
    evidence_digest: id(0),
  };
  for (const [member, value] of Object.entries(changes)) {
    const rows = rows_after({...receipt(), [member]: value}, expected());
    assert.deepEqual(bad(rows), ['receipt_signature'], member);
  }
  const open = expected();
  open.proven.session.state = 'confirmed';
  assert.deepEqual(bad(rows_after(receipt(), open)), ['confirmed_before_compute']);
});

test('keys are the newest that are valid now and long enough', () => {
  const epoch = (n, from, until) => ({
    epoch: n,
    valid_from_ms: BigInt(kNow + from),
    valid_until_ms: BigInt(kNow + until),
  });
  const minute = 60_000;
  const good = epoch(1n, -minute, 20 * minute);
  assert.equal(choose_keys({epochs: [good]}, kNow), good);
  const newer = epoch(2n, 0, 30 * minute);
  assert.equal(choose_keys({epochs: [good, newer]}, kNow), newer);
  for (const one of [epoch(2n, 2 * minute, 60 * minute), epoch(2n, -minute, 14 * minute)]) {
    assert.equal(choose_keys({epochs: [good, one]}, kNow), good);
    assert.equal(choose_keys({epochs: [one]}, kNow), undefined);
  }
  assert.equal(choose_keys({epochs: []}, kNow), undefined);
});

test('a simulated machine is development whoever says otherwise', () => {
  const real = proven();
  real.network.genesis.development = false;
  assert.equal(is_development(real), true);
  real.instance.development = false;
  assert.equal(is_development(real), false);
});

test('a description of a network that is none is refused', async () => {
  const texts = ['', '[]', '{}', '{"genesis":1,"endpoints":[],"blobs":null}', '{"genesis":"{}"'];
  for (const text of texts) await assert.rejects(network_from_json(text), Error, text);
});
