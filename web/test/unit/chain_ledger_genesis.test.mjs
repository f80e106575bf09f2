import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const ledger = await load('../chain/ledger/index.ts');
const {genesis_from_json, genesis_hash} = ledger;

const hex_of = (bytes) => Buffer.from(bytes).toString('hex');

// The sample of the nodes' tests, as they write it, and its hash, as they compute it.
const kHash = '0a6fa2f88509833c96eac5fe28b23299858ec99770161e6679be674c85f16b2d';
const kGenesis = `
{"chain_id":"cloister-test-1","time_ms":1700000000000,"embedded":false,"development":true,
"development_intel":["495b1862f8d80108708539dbe28c8ce4937bdd2bf96882dc4a8ca469a9feac4e"],
"development_amd":[],"params":{"min_fee_micro":0,"min_stake_micro":1000000,
"report_fee_micro":1000,"fault_slash_micro":500000,"slash_user_permille":500,
"treasury_permille":50,"evidence_max_age_blocks":600,"instance_lifetime_blocks":86400,
"request_lifetime_blocks":100,"confirm_deadline_blocks":200,"max_session_lifetime_blocks":86400,
"settle_window_blocks":50,"history_blocks":10000,"max_redraws":3,"reputation_start":500,
"reputation_settled_gain":1,"reputation_miss_loss":20,"reputation_fault_loss":500,
"unbond_blocks":1814400,"model_fee_micro":100000,"slash_finder_permille":100,
"voting_blocks":86400,"timelock_blocks":86400,"pause_blocks":86400,"quorum_permille":500,
"proposal_fee_micro":100000,"epoch_blocks":3600,"check_permille":10,"check_size":3,
"reference_units":500,"answer_cost_micro":1000,"answer_pay_micro":1200,"dishonest_permille":500,
"open_blocks":100,"verdict_blocks":200,"reveal_blocks":100,"appeal_blocks":200,
"mismatch_slash_micro":400000,"unopened_slash_micro":400000,"uncommitted_slash_micro":400000,
"silent_slash_micro":20000,"outvoted_slash_micro":50000,"appeal_bond_micro":100000,
"check_pay_micro":2000,"check_reserve_permille":50,"check_reserve_micro":100000,
"miss_slash_micro":50000,"epoch_reward_micro":100000,"validator_stake_micro":10000000},
"accounts":[],"models":[{
"root":"9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4","name":"model",
"tokenizer_digest":"0000000000000000000000000000000000000000000000000000000000000000",
"template_digest":"0000000000000000000000000000000000000000000000000000000000000000",
"size_bytes":0,"licence":"Apache-2.0","quantization":"Q4_K_M","context_length":2048,
"owner":null,"owner_permille":0,"access":"open",
"key_policy_sha256":"0000000000000000000000000000000000000000000000000000000000000000",
"deprecated":false}],"policy":{"version":1,"accepted_statuses":"0102",
"min_tcb_evaluation_number":0,"denied_advisories":[],"distrusted_products":[],"releases":[{
"name":"cloister-node test","format":1,
"measurement":"${'07'.repeat(48)}",
"runtime_measurements":[],"valid_from_height":0,"valid_until_height":18446744073709551615,
"min_driver":"","min_firmware":""}],"allow_development":true,"denied_measurements":[],
"denied_platforms":[],"paused_formats":""},"validators":[{
"public_key":"4bfe43487c0412c03702495392ab0953169fa230876fb85a99119bd8c630d069","power":10,
"operator_account":"447ef6059a178a0e4cf7b59861d00a3014346d4825f0e1f0aa744a59bb57d9f6"},{
"public_key":"a86a8b23e9a9575595c02d7ba7d17fb545f9d4aa6d54300dbf93f10256342194","power":10,
"operator_account":"da8a1ac56a8bc3eb6c6f105190b19692842975c533a40af463610ddcc05df679"},{
"public_key":"cc85aef2950b207ab220f706ae92f025f9f6258906f2ef59799ce314744c56ee","power":10,
"operator_account":"00cb98b21ec55e32cfea0852aa4128aea67508d2dec02972476c0dd43b5d3bb4"},{
"public_key":"e8202c80fb33dc5087d3be401e168bf296793eccd2052bb8e9395b0c61d4da68","power":10,
"operator_account":"5603d6ec7c9330c69f6288eda8f53b9de8668b3ae705e7fb8259a6796e317916"}],
"beacon":{"setup":"dealer","epoch":1,"threshold":2,"public_keys":[
"883e48faa5e0035cc9cc6b1cd54c542ab18d5ce0152df1cb1092a2ab6b103a42",
"76b185970d9f2daebb5d3d452df2da68438ab60f711bf7ec5ecdd5dafd39c84a",
"ce2bddc9c9aad6d3140a18557f82136fa8e5ea4541123a08cd015bfa909bfc0c",
"a87f2546fcab32e00d4f0745899e12089f8db4880423b6508145a0375c8c2240"]},"release_keys":[],
"release_threshold":0,"development_nvidia":[]}
`;

function spoilt(from, to) {
  assert.ok(kGenesis.includes(from), from);
  return kGenesis.replace(from, to);
}

test('the hash is that of the nodes', async () => {
  const genesis = genesis_from_json(kGenesis);
  assert.equal(hex_of(await genesis_hash(genesis)), kHash);
  const later = genesis_from_json(spoilt('1700000000000', '1700000000001'));
  assert.notEqual(hex_of(await genesis_hash(later)), kHash);
});

test('a genesis says what a client shows of it', () => {
  const genesis = genesis_from_json(kGenesis);
  assert.equal(genesis.chain_id, 'cloister-test-1');
  assert.equal(genesis.embedded, false);
  assert.equal(genesis.development, true);
  assert.equal(genesis.validators.length, 4);
  assert.ok(genesis.validators.every((validator) => validator.power === 10n));
  const [model] = genesis.models;
  assert.equal(model.name, 'model');
  assert.equal(model.licence, 'Apache-2.0');
  assert.equal(model.quantization, 'Q4_K_M');
  assert.equal(model.context_length, 2048);
  assert.equal(genesis.policy.releases[0].valid_until_height, (1n << 64n) - 1n);
});

test('it is the same record in the ledger', () => {
  const genesis = genesis_from_json(kGenesis);
  const bytes = ledger.encode(ledger.kGenesis, genesis);
  assert.deepEqual(ledger.decode(ledger.kGenesis, bytes), genesis);
  for (let n = 0; n < bytes.length; ++n) {
    assert.throws(() => ledger.decode(ledger.kGenesis, bytes.subarray(0, n)));
  }
});

test('each single fault is refused', () => {
  const faults = [
    ['"chain_id":"cloister-test-1"', '"chain_id":""'],
    ['"chain_id":"cloister-test-1"', `"chain_id":"${'c'.repeat(51)}"`],
    ['"chain_id":"cloister-test-1"', '"chain_id":7'],
    ['"chain_id":"cloister-test-1",', ''],
    ['"chain_id":', '"unknown":1,"chain_id":'],
    ['"chain_id":', '"chain_id":"twice","chain_id":'],
    ['1700000000000', '1700000000000.5'],
    ['1700000000000', '18446744073709551616'],
    ['1700000000000', '"1700000000000"'],
    ['"embedded":false', '"embedded":true'],
    ['"embedded":false', '"embedded":0'],
    ['"development":true', '"development":false'],
    ['"power":10', '"power":11'],
    ['"power":10', '"power":0'],
    ['"setup":"dealer"', '"setup":"other"'],
    ['"threshold":2', '"threshold":1'],
    ['"threshold":2', '"threshold":65536'],
    ['"name":"model"', '"name":""'],
    ['"access":"open"', '"access":"shut"'],
    ['"context_length":2048', '"context_length":4294967296'],
  ];
  for (const [from, to] of faults) assert.throws(() => genesis_from_json(spoilt(from, to)), from);
  assert.throws(() => genesis_from_json('{}'));
  assert.throws(() => genesis_from_json('{'));
  assert.throws(() => genesis_from_json(kGenesis + '1'));
});

test('validators must be sorted and differ', () => {
  const genesis = genesis_from_json(kGenesis);
  const [first, second] = genesis.validators.map((each) => hex_of(each.public_key));
  const swapped = kGenesis.replace(first, '?').replace(second, first).replace('?', second);
  assert.throws(() => genesis_from_json(swapped), /validators/);
  assert.throws(() => genesis_from_json(kGenesis.replace(second, first)), /validators/);
});
