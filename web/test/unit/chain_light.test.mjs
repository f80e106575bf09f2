// The light client: upstream's vectors, chains signed here, and every way to be lied to.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {createServer} from 'node:http';
import {test} from 'node:test';

import {load} from './load.mjs';

const E = await load('../chain/light/encoding.ts');
const S = await load('../chain/light/simple.ts');
const V = await load('../chain/light/verify.ts');
const J = await load('../chain/light/json.ts');
const F = await load('../chain/light/fields.ts');
const P = await load('../chain/light/proof.ts');
const {Bisection} = await load('../chain/light/sync.ts');
const {parse_json} = await load('../chain/light/json_text.ts');
const {HttpRpc} = await load('../chain/light/rpc.ts');
// Of one import: each has classes of its own.
const {LightClient, LightError} = await load('../chain/light/index.ts');
const {kFamilies} = await load('../chain/ledger/keys.ts');

const hex_of = (bytes) => Buffer.from(bytes).toString('hex');
const upper = (bytes) => hex_of(bytes).toUpperCase();
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const from_hex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const text = (t) => new Uint8Array(Buffer.from(t));
const sha = (...parts) =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
const clone = (value) => structuredClone(value);
const filled = (size, byte) => new Uint8Array(size).fill(byte);

// The code of a refusal, by name, whichever copy of the module threw it.
async function code_of(work) {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error.code === undefined) throw error;
    return error.code;
  }
  return 'accepted';
}

// --- encodings: the constants of src/light/encoding_test.cc --------------------------------------

const kGoZero = {seconds: -62135596800, nanos: 0};
const kVoteTime = {seconds: 1514170801, nanos: 234_000_000};
const kChain = 'cloister-test-1';
const kSetHash = '8d545c62ef6a36c4405353280e1f09e6716b150b583fe8fa55777834c793cf1a';
const kNothing = {hash: new Uint8Array(), parts_total: 0, parts_hash: new Uint8Array()};
const vote_block = (parts_total) => ({
  hash: sha(text('blockID_hash')),
  parts_total,
  parts_hash: sha(text('blockID_part_set_header_hash')),
});
const vector_set = () =>
  E.sort_validators([
    {public_key: filled(32, 0xff), power: 10n},
    {public_key: Uint8Array.from({length: 32}, (_, i) => i), power: 10n},
    {public_key: filled(32, 0x11), power: 300n},
  ]);

test('upstream votes', () => {
  const vote = {type: 0, height: 0, round: 0, timestamp: kGoZero, chain_id: ''};
  assert.equal(hex_of(E.vote_sign_bytes(vote)), '0d2a0b088092b8c398feffffff01');
  const first = {...vote, height: 1, round: 1, chain_id: 'test_chain_id'};
  assert.equal(
    hex_of(E.vote_sign_bytes(first)),
    '2e1101000000000000001901000000000000002a0b088092b8c398feffffff01320d746573745f6368' +
      '61696e5f6964',
  );
  assert.equal(
    hex_of(E.vote_sign_bytes({...first, type: 2, chain_id: ''})),
    '2108021101000000000000001901000000000000002a0b088092b8c398feffffff01',
  );
});

test('own votes, and a commit signs the same bytes', () => {
  const base = {type: 2, height: 12345, round: 0, timestamp: kVoteTime, chain_id: kChain};
  const one =
    '73080211393000000000000022480a208b01023386c371778ecb6368573e539afc3cc860ec3a2f614e5' +
    '4fe5652f4fc8012240801122072db3d959635dff1bb567bedaa70573392c5159666a3f8caf11e413aac' +
    '52207a2a0b08b1d381d20510809dca6f320f636c6f69737465722d746573742d31';
  const nil =
    '2908021139300000000000002a0b08b1d381d20510809dca6f320f636c6f69737465722d746573742d31';
  const many =
    '7e0802113930000000000000190200000000000000224a0a208b01023386c371778ecb6368573e539af' +
    'c3cc860ec3a2f614e54fe5652f4fc80122608c0843d122072db3d959635dff1bb567bedaa70573392c5' +
    '159666a3f8caf11e413aac52207a2a0b08b1d381d20510809dca6f320f636c6f69737465722d7465737' +
    '42d31';
  assert.equal(hex_of(E.vote_sign_bytes({...base, block_id: vote_block(1)})), one);
  assert.equal(hex_of(E.vote_sign_bytes(base)), nil);
  const big = {...base, round: 2, block_id: vote_block(1_000_000)};
  assert.equal(hex_of(E.vote_sign_bytes(big)), many);
  const commit = {height: 12345, round: 0, block_id: vote_block(1), signatures: []};
  const sig = {flag: 2, timestamp: kVoteTime};
  assert.equal(hex_of(E.commit_sign_bytes(commit, sig, kChain)), one);
  assert.equal(hex_of(E.commit_sign_bytes(commit, {...sig, flag: 3}, kChain)), nil);
});

test('header hashes: upstream and the first', async () => {
  const zeros = {hash: filled(32, 0), parts_total: 6, parts_hash: filled(32, 0)};
  const h = {
    block_version: 1n,
    app_version: 2n,
    chain_id: 'chainId',
    height: 3,
    time: {seconds: 1570983284, nanos: 0},
    last_block_id: zeros,
    proposer_address: sha(text('proposer_address')).slice(0, 20),
  };
  const names = ['last_commit', 'data', 'validators', 'next_validators', 'consensus', 'app'];
  for (const name of [...names, 'last_results', 'evidence']) {
    h[`${name}_hash`] = sha(text(`${name}_hash`));
  }
  assert.equal(
    hex_of(await E.header_hash(h)),
    'f740121f553b5418c3efbd343c2dbfe9e007bb67b0d020a0741374bab65242a4',
  );
  const set = await vector_set();
  const empty = sha();
  const first = {
    block_version: 11n,
    app_version: 1n,
    chain_id: kChain,
    height: 1,
    time: {seconds: 1_700_000_000, nanos: 5},
    last_block_id: kNothing,
    last_commit_hash: empty,
    data_hash: empty,
    validators_hash: from_hex(kSetHash),
    next_validators_hash: from_hex(kSetHash),
    consensus_hash: from_hex('294d8fbd0b94b767a7eba9840f299a3586da7fe6b5dead3b7eecba193c400f93'),
    app_hash: new Uint8Array(),
    last_results_hash: empty,
    evidence_hash: empty,
    proposer_address: await E.address_of(set[0].public_key),
  };
  assert.equal(hex_of(E.encode_block_id(kNothing)), '1200');
  assert.equal(
    hex_of(await E.header_hash(first)),
    'e2d7dc1b54831157ec27443f23cdb6699ad2cb1d5cbac0ec7fa89bce117a7b49',
  );
});

test('validator sets, lists and leaves', async () => {
  const set = await vector_set();
  const addresses = await Promise.all(set.map((v) => E.address_of(v.public_key)));
  assert.deepEqual(addresses.map(hex_of), [
    '02d449a31fbb267c8f352e9968a79e3e5fc95c1b',
    '630dcd2966c4336691125448bbb25b4ff412a49c',
    'af9613760f72635fbdb44a5a0a63c39f12af30f9',
  ]);
  assert.equal(hex_of(await E.validators_hash(set)), kSetHash);
  assert.equal(
    hex_of(await E.data_hash(['tx1', 'tx2', 'tx3'].map(text))),
    '5732471026f00afd6c7f3d11bbef4fc3b5e47b97a248037d33283bee1034f2ac',
  );
  const none = {code: 0, data: new Uint8Array(), gas_wanted: 0n, gas_used: 0n};
  const results = [none, {...none, code: 5, gas_wanted: 10n, gas_used: 7n}];
  results.push({...none, data: text('ok')});
  assert.equal(
    hex_of(await E.results_hash(results)),
    '94843d9913d01387350bebb328b48887d456a245ea79ebc08633ab30846d9c6e',
  );
  assert.equal(hex_of(await S.simple_root([])), hex_of(sha()));
  assert.equal(
    hex_of(await S.simple_root([text('L123456')])),
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
  );
  assert.equal(
    hex_of(await S.simple_leaf_hash(await S.simple_value_leaf(text('key'), text('value')))),
    'edc60159c304bdb2cbfcdb91f9df71e1d960e0d20a9b36714452f48a2e733759',
  );
  const absent = {flag: 1, validator_address: new Uint8Array(), timestamp: kGoZero};
  absent.signature = new Uint8Array();
  assert.equal(hex_of(E.encode_commit_sig(absent)), '08011a0b088092b8c398feffffff01');
});

// --- a chain signed by keys of the test ----------------------------------------------------------

async function make_validator(power) {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const public_key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return {public_key, power, key: pair.privateKey};
}
const set_of = (members) =>
  E.sort_validators(members.map(({public_key, power}) => ({public_key, power})));

const kStart = 1_700_000_000_000;
const ms_time = (ms) => ({seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6});

async function sign(header, members) {
  const validators = await set_of(members);
  const hash = await E.header_hash(header);
  const block_id = {hash, parts_total: 1, parts_hash: sha(hash)};
  const commit = {height: header.height, round: 0, block_id, signatures: []};
  for (const {public_key} of validators) {
    const sig = {flag: 2, timestamp: {...header.time}};
    sig.validator_address = await E.address_of(public_key);
    const message = E.commit_sign_bytes(commit, sig, header.chain_id);
    const {key} = members.find((m) => hex_of(m.public_key) === hex_of(public_key));
    sig.signature = new Uint8Array(await crypto.subtle.sign('Ed25519', key, message));
    commit.signatures.push(sig);
  }
  return {signed_header: {header, commit}, validators};
}

const kNoOutcome = {code: 0, data: new Uint8Array(), gas_wanted: 0n, gas_used: 0n};

// Blocks 1.. of one chain; `last_results` are of the block before.
class TestChain {
  blocks = [];
  txs = [];
  results = [];
  constructor(chain_id) {
    this.chain_id = chain_id;
  }
  get height() {
    return this.blocks.length;
  }
  get now() {
    return kStart + this.height * 1000 + 500;
  }
  at(height) {
    return clone(this.blocks[height - 1]);
  }
  async append(members, next, {app_hash = filled(32, 0), txs = [], results = []} = {}) {
    const last = this.blocks.at(-1)?.signed_header.commit;
    const header = {
      block_version: 11n,
      app_version: 1n,
      chain_id: this.chain_id,
      height: this.height + 1,
      time: ms_time(kStart + (this.height + 1) * 1000),
      last_block_id: last?.block_id ?? kNothing,
      last_commit_hash: last ? await E.commit_hash(last) : sha(),
      data_hash: await E.data_hash(txs),
      validators_hash: await E.validators_hash(await set_of(members)),
      next_validators_hash: await E.validators_hash(await set_of(next)),
      consensus_hash: sha(text('consensus')),
      app_hash,
      last_results_hash: await E.results_hash(this.results.at(-1) ?? []),
      evidence_hash: sha(),
      proposer_address: await E.address_of((await set_of(members))[0].public_key),
    };
    this.txs.push(txs);
    this.results.push(results);
    this.blocks.push(await sign(header, members));
  }
}

const all = await Promise.all(Array.from({length: 8}, () => make_validator(10n)));
const old_set = all.slice(0, 4);
const new_set = [...all.slice(0, 3), all[4]];
const chain = new TestChain('c');
for (let i = 1; i <= 9; ++i) await chain.append(old_set, i < 9 ? old_set : new_set);
await chain.append(new_set, new_set);
const start = () => V.verify_genesis('c', chain.at(1).validators, chain.at(1));
const trusted = await start();
const adjacent = (block) => V.verify_adjacent(trusted, block, chain.now, V.kTrustOptions);
const skipping = (block) => V.verify_non_adjacent(trusted, block, chain.now, V.kTrustOptions);

test('the genuine chain is accepted', async () => {
  const second = await adjacent(chain.at(2));
  assert.equal(second.height, 2);
  assert.equal(hex_of(second.hash), hex_of(await E.header_hash(chain.at(2).signed_header.header)));
  assert.equal(second.signed_power, 40n);
  assert.equal(second.total_power, 40n);
  assert.equal(second.time_ms, kStart + 2000);
  await skipping(chain.at(9));
  await skipping(chain.at(10)); // three of four known ones signed
});

test('nothing else makes a verified block', () => {
  const {header, hash, validators} = trusted;
  assert.throws(() => new V.VerifiedBlock(Symbol(), header, hash, validators, 40n));
});

const kFaults = [
  ['protocol', (b) => (b.signed_header.header.block_version = 12n), 'wrong_protocol_version'],
  ['chain', (b) => (b.signed_header.header.chain_id = 'd'), 'wrong_chain'],
  ['short hash', (b) => (b.signed_header.header.data_hash = filled(31, 1)), 'bad_field'],
  ['no set hash', (b) => (b.signed_header.header.validators_hash = text('')), 'bad_field'],
  ['long app hash', (b) => (b.signed_header.header.app_hash = filled(65, 0)), 'bad_field'],
  ['nanos', (b) => (b.signed_header.header.time.nanos = 1e9), 'bad_field'],
  ['no parent', (b) => (b.signed_header.header.last_block_id = kNothing), 'bad_field'],
  ['no proposer', (b) => (b.signed_header.header.proposer_address = text('')), 'bad_field'],
  ['height', (b) => (b.signed_header.header.height = 0), 'bad_field'],
  ['commit height', (b) => (b.signed_header.commit.height = 3), 'wrong_commit_height'],
  ['negative round', (b) => (b.signed_header.commit.round = -1), 'bad_field'],
  ['no parts', (b) => (b.signed_header.commit.block_id.parts_total = 0), 'bad_field'],
  ['app hash', (b) => (b.signed_header.header.app_hash[0] ^= 1), 'wrong_header_hash'],
  ['block id', (b) => (b.signed_header.commit.block_id.hash[0] ^= 1), 'wrong_header_hash'],
  [
    'short signature',
    (b) => (b.signed_header.commit.signatures[1].signature = filled(63, 1)),
    'bad_signature_entry',
  ],
  [
    'absent with an address',
    (b) => (b.signed_header.commit.signatures[1].flag = 1),
    'bad_signature_entry',
  ],
  ['unknown flag', (b) => (b.signed_header.commit.signatures[1].flag = 7), 'bad_signature_entry'],
  ['fewer signatures', (b) => b.signed_header.commit.signatures.pop(), 'wrong_signature_count'],
  [
    'swapped signatures',
    (b) => b.signed_header.commit.signatures.reverse(),
    'wrong_validator_address',
  ],
  [
    'one signature four times',
    (b) => b.signed_header.commit.signatures.fill(b.signed_header.commit.signatures[0]),
    'wrong_validator_address',
  ],
  [
    'address',
    (b) => (b.signed_header.commit.signatures[2].validator_address[0] ^= 1),
    'wrong_validator_address',
  ],
  ['round', (b) => (b.signed_header.commit.round = 1), 'not_enough_power'],
  ['parts', (b) => (b.signed_header.commit.block_id.parts_hash[0] ^= 1), 'not_enough_power'],
  [
    'nil votes',
    (b) => b.signed_header.commit.signatures.slice(0, 2).forEach((sig) => (sig.flag = 3)),
    'not_enough_power',
  ],
  [
    'two forged signatures',
    (b) => {
      b.signed_header.commit.signatures[0].signature[0] ^= 1;
      b.signed_header.commit.signatures[1].timestamp.nanos += 1;
    },
    'not_enough_power',
  ],
  ['no set', (b) => (b.validators = []), 'too_many_validators'],
  ['huge set', (b) => (b.validators = Array(1001).fill(b.validators[0])), 'too_many_validators'],
  ['zero power', (b) => (b.validators[0].power = 0n), 'bad_power'],
  ['negative power', (b) => (b.validators[0].power = -1n), 'bad_power'],
  ['too much power', (b) => (b.validators[0].power = 1n << 60n), 'bad_power'],
  ['twice', (b) => (b.validators[1] = b.validators[0]), 'duplicate_validator'],
  ['other power', (b) => (b.validators[0].power = 11n), 'wrong_validators_hash'],
  ['other order', (b) => b.validators.reverse(), 'wrong_validators_hash'],
];
for (const [name, spoil, want] of kFaults) {
  test(`a block with one fault is refused: ${name}`, async () => {
    const block = chain.at(2);
    spoil(block);
    assert.equal(await code_of(adjacent(block)), want);
  });
}

test('one odd signature cannot deny service', async () => {
  const block = chain.at(2);
  block.signed_header.commit.signatures[0].signature[0] ^= 1;
  assert.equal((await adjacent(block)).signed_power, 30n);
});

test('a block that changes while it is verified stays what it was', async () => {
  const block = chain.at(2);
  const verifying = adjacent(block);
  block.signed_header.header.app_hash[0] ^= 1;
  assert.equal((await verifying).header.app_hash[0], 0);
});

test('heights, times and trust', async () => {
  const at5 = await skipping(chain.at(5));
  const now = chain.now;
  const o = V.kTrustOptions;
  assert.equal(await code_of(V.verify(at5, chain.at(5), now)), 'height_not_newer');
  assert.equal(await code_of(V.verify(at5, chain.at(4), now)), 'height_not_newer');
  assert.equal(await code_of(V.verify_adjacent(at5, chain.at(7), now, o)), 'not_adjacent');
  const early = kStart + 6000 - 10_000;
  assert.equal(await code_of(V.verify(at5, chain.at(6), early)), 'from_the_future');
  await V.verify(at5, chain.at(6), early + 1);
  const expiry = at5.time_ms + o.trusting_period_s * 1000;
  assert.equal(await code_of(V.verify(at5, chain.at(6), expiry)), 'trust_expired');
  await V.verify(at5, chain.at(6), expiry - 1);
  const forever = {...o, trusting_period_s: V.kMaxPeriodSeconds};
  await V.verify(at5, chain.at(6), expiry, forever);
  for (const bad of [{trusting_period_s: 0}, {max_clock_drift_s: -1}, {trusting_period_s: NaN}]) {
    assert.equal(await code_of(V.verify(at5, chain.at(6), now, {...o, ...bad})), 'bad_options');
  }
  assert.equal(await code_of(V.verify(at5, chain.at(6), NaN)), 'bad_options');
});

test('signed but wrong blocks', async () => {
  const resigned = async (spoil) => {
    const {header} = chain.at(2).signed_header;
    spoil(header);
    return code_of(adjacent(await sign(header, old_set)));
  };
  assert.equal(await resigned(() => {}), 'accepted');
  assert.equal(await resigned((h) => (h.time = ms_time(kStart + 1000))), 'time_not_newer');
  assert.equal(await resigned((h) => (h.last_block_id.hash[0] ^= 1)), 'wrong_last_block');
  // A set of the attacker's own that signs its own header.
  const {header} = chain.at(2).signed_header;
  const theirs = all.slice(5);
  header.validators_hash = await E.validators_hash(await set_of(theirs));
  assert.equal(await code_of(adjacent(await sign(header, theirs))), 'wrong_next_validators');
  header.height = 3;
  assert.equal(await code_of(skipping(await sign(header, theirs))), 'not_enough_trusted_power');
  // Just over two thirds of a small set, but one quarter of the trusted one.
  const one_known = [all[0], all[6], all[7]];
  header.validators_hash = await E.validators_hash(await set_of(one_known));
  assert.equal(await code_of(skipping(await sign(header, one_known))), 'not_enough_trusted_power');
});

test('exactly one third of the trusted or two thirds of the own power is too little', async () => {
  const three = new TestChain('three');
  await three.append(all.slice(0, 3), all.slice(0, 3));
  const first = await V.verify_genesis('three', three.at(1).validators, three.at(1));
  const {header} = three.at(1).signed_header;
  header.height = 3;
  header.time = ms_time(kStart + 3000);
  header.last_block_id = vote_block(1);
  const members = [all[0], all[6], all[7]];
  header.validators_hash = await E.validators_hash(await set_of(members));
  const block = await sign(header, members);
  const verdict = V.verify(first, block, kStart + 4000);
  assert.equal(await code_of(verdict), 'not_enough_trusted_power');
  const spoilt = three.at(1);
  spoilt.signed_header.commit.signatures[0].signature[0] ^= 1;
  const genesis = V.verify_genesis('three', spoilt.validators, spoilt);
  assert.equal(await code_of(genesis), 'not_enough_power');
});

test('starting points', async () => {
  const genesis = chain.at(1).validators;
  const code = (...args) => code_of(V.verify_genesis(...args));
  assert.equal(await code('d', genesis, chain.at(1)), 'wrong_chain');
  assert.equal(await code('c', genesis, chain.at(2)), 'wrong_trust_root');
  assert.equal(await code('c', chain.at(10).validators, chain.at(1)), 'wrong_trust_root');
  assert.equal(await code('c', [], chain.at(1)), 'wrong_trust_root');
});

test('freshness', async () => {
  const block = await skipping(chain.at(9));
  V.check_fresh(block, block.time_ms + 5000, 5000);
  const at = (now_ms) => code_of(async () => V.check_fresh(block, now_ms, 5000));
  assert.equal(await at(block.time_ms + 5001), 'stale');
  assert.equal(await at(NaN), 'stale');
});

test('no flipped byte of what is signed or hashed is accepted', async () => {
  const paths = [];
  const collect = (value, path) => {
    if (value instanceof Uint8Array) {
      // A quarter of the power may be missing: a signature alone is tried below.
      if (path[1] === 'commit' && path[2] === 'signatures' && path[4] === 'signature') return;
      for (let i = 0; i < value.length; i += 5) paths.push([path, i]);
    } else if (typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) collect(inner, [...path, key]);
    }
  };
  collect(chain.at(9), []);
  assert.ok(paths.length > 60);
  for (const [path, i] of paths) {
    const block = chain.at(9);
    path.reduce((value, key) => value[key], block)[i] ^= 1;
    assert.notEqual(await code_of(V.verify(trusted, block, chain.now)), 'accepted', path.join());
  }
  for (let i = 0; i < 64; i += 3) {
    const block = chain.at(9);
    for (const at of [0, 3]) block.signed_header.commit.signatures[at].signature[i] ^= 0x10;
    assert.notEqual(await code_of(V.verify(trusted, block, chain.now)), 'accepted');
  }
});

// The set turns over by one of four validators every four blocks.
const turnover = new TestChain('t');
const rolling = await Promise.all(Array.from({length: 20}, () => make_validator(10n)));
const rolled = (h) => rolling.slice(Math.floor(h / 4), Math.floor(h / 4) + 4);
for (let h = 1; h <= 60; ++h) await turnover.append(rolled(h), rolled(h + 1));
const turnover_start = () =>
  V.verify_genesis('t', turnover.at(1).validators, turnover.at(1));

test('bisection finds the way', async () => {
  const first = await turnover_start();
  const direct = V.verify(first, turnover.at(60), turnover.now);
  assert.equal(await code_of(direct), 'not_enough_trusted_power');
  const way = new Bisection(first, 60, V.kTrustOptions);
  let fetched = 0;
  while (way.wanted !== undefined) {
    ++fetched;
    await way.feed(turnover.at(way.wanted), turnover.now);
  }
  assert.equal(way.trusted.height, 60);
  assert.ok(fetched > 5 && fetched < 40, String(fetched));
  const other = new Bisection(first, 60, V.kTrustOptions);
  assert.equal(await code_of(other.feed(turnover.at(59), turnover.now)), 'wrong_height');
  assert.equal(new Bisection(first, 1, V.kTrustOptions).wanted, undefined);
});

// --- proofs --------------------------------------------------------------------------------------

const kEmpty = filled(32, 0);
const bit = (bytes, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1;

// The definition of the sparse tree, with no sharing.
function sparse_root(leaves, depth = 0) {
  if (leaves.length === 0) return kEmpty;
  if (leaves.length === 1) return sha(Uint8Array.of(0), leaves[0].path, leaves[0].value_hash);
  const side = (wanted) => leaves.filter(({path}) => bit(path, depth) === wanted);
  return sha(Uint8Array.of(1), sparse_root(side(0), depth + 1), sparse_root(side(1), depth + 1));
}
function sparse_prove(leaves, key) {
  const path = sha(key);
  const levels = [];
  let rest = leaves;
  while (rest.length > 1) {
    const own = bit(path, levels.length);
    const others = rest.filter((leaf) => bit(leaf.path, levels.length) !== own);
    rest = rest.filter((leaf) => bit(leaf.path, levels.length) === own);
    levels.push(sparse_root(others, levels.length + 1));
  }
  const empty = (hash) => hex_of(hash) === hex_of(kEmpty);
  const bitmap = filled(Math.ceil(levels.length / 8), 0);
  levels.forEach((hash, i) => (bitmap[i >> 3] |= empty(hash) ? 0 : 0x80 >> (i & 7)));
  const siblings = levels.reverse().filter((hash) => !empty(hash));
  const terminal = rest.length ? [Uint8Array.of(1), rest[0].path, rest[0].value_hash] : [[0]];
  const head = Uint8Array.of(levels.length >> 8, levels.length & 0xff);
  return Buffer.concat([head, bitmap, ...siblings, ...terminal.map((t) => Uint8Array.from(t))]);
}
const leaves_of = (map) =>
  Object.entries(map).map(([k, v]) => ({path: sha(text(k)), value_hash: sha(text(v))}));

// A state by family name; keys and values are text.
class State {
  constructor(families) {
    this.families = families;
  }
  root_of(family) {
    return sparse_root(leaves_of(this.families[family] ?? {}));
  }
  name_leaf(family) {
    const name = text(family);
    const sizes = [name.length, 32].map((size) => Uint8Array.of(size));
    return Buffer.concat([sizes[0], name, sizes[1], sha(this.root_of(family))]);
  }
  hashes() {
    return kFamilies.map((family) => sha(Uint8Array.of(0), this.name_leaf(family)));
  }
  app_hash() {
    return list_root(this.hashes());
  }
  prove(family, key) {
    const hashes = this.hashes();
    const index = kFamilies.indexOf(family);
    const proof = {total: BigInt(hashes.length), index: BigInt(index), leaf_hash: hashes[index]};
    proof.aunts = list_aunts(hashes, index);
    const data = S.encode_value_op({key: text(family), proof});
    const smt = new Uint8Array(sparse_prove(leaves_of(this.families[family] ?? {}), key));
    return [
      {type: 'smt:v1', key, data: smt},
      {type: 'simple:v', key: text(family), data},
    ];
  }
}
const split_of = (n) => 2 ** Math.floor(Math.log2(n - 1));
function list_root(hashes) {
  if (hashes.length === 1) return hashes[0];
  const split = split_of(hashes.length);
  return sha(Uint8Array.of(1), list_root(hashes.slice(0, split)), list_root(hashes.slice(split)));
}
function list_aunts(hashes, index) {
  if (hashes.length === 1) return [];
  const split = split_of(hashes.length);
  if (index < split) {
    return [...list_aunts(hashes.slice(0, split), index), list_root(hashes.slice(split))];
  }
  return [...list_aunts(hashes.slice(split), index - split), list_root(hashes.slice(0, split))];
}

const instances = Object.fromEntries(Array.from({length: 100}, (_, i) => [`k${i}`, `v${i}`]));
const state = new State({instances});
const app_hash = state.app_hash();
const check = (proof, key, value, family = 'instances', hash = app_hash) =>
  code_of(P.verify_read(proof, family, text(key), value && text(value), hash));
const prove = (key, family = 'instances') => state.prove(family, text(key));

test('values and absence are proven', async () => {
  for (let i = 0; i < 100; i += 7) {
    assert.equal(await check(prove(`k${i}`), `k${i}`, `v${i}`), 'accepted');
  }
  for (const key of ['nobody', 'x', 'y', 'z']) {
    assert.equal(await check(prove(key), key), 'accepted');
  }
  assert.equal(await check(prove('k7', 'jobs'), 'k7', undefined, 'jobs'), 'accepted');
});

test('each single fault of a proof is refused by its own error', async () => {
  const spoilt = (spoil) => {
    const proof = prove('k7');
    spoil(proof);
    return check(proof, 'k7', 'v7');
  };
  assert.equal(await spoilt((p) => p.splice(0)), 'bad_proof');
  assert.equal(await spoilt((p) => p.pop()), 'bad_proof');
  assert.equal(await spoilt((p) => p.push(p[1])), 'bad_proof');
  assert.equal(await spoilt((p) => p.reverse()), 'bad_proof');
  assert.equal(await spoilt((p) => (p[0].type = 'iavl:v')), 'bad_proof');
  assert.equal(await spoilt((p) => (p[0].key = text('k8'))), 'wrong_proof_key');
  assert.equal(await spoilt((p) => (p[1].key = text('jobs'))), 'wrong_proof_family');
  assert.equal(await check(prove('k7'), 'k8', 'v8'), 'wrong_proof_key');
  assert.equal(await check(prove('k7'), 'k7', 'v8'), 'wrong_proof_value');
  assert.equal(await check(prove('k7'), 'k7'), 'wrong_proof_value');
  const empty = P.verify_read(prove('x'), 'instances', text('x'), text(''), app_hash);
  assert.equal(await code_of(empty), 'wrong_proof_value');
  assert.equal(await check(prove('k7'), 'k7', 'v7', 'jobs'), 'wrong_proof_family');
  assert.equal(await check(prove('k7', 'jobs'), 'k7'), 'wrong_proof_family');
  assert.equal(await check(prove('k7'), 'k7', 'v7', 'instances', sha()), 'wrong_root');
  assert.equal(await check(prove('k7'), 'k7', 'v7', 'instances', text('')), 'wrong_root');
  // Another family's place, under the right name.
  const moved = S.decode_value_op(prove('k7', 'jobs')[1].data);
  const named = S.encode_value_op({...moved, key: text('instances')});
  assert.equal(await spoilt((p) => (p[1].data = named)), 'bad_proof');
});

test('forged absence is refused', async () => {
  const proof = prove('nobody');
  proof[0].key = text('k7');
  assert.notEqual(await check(proof, 'k7'), 'accepted');
  proof[0].data = Uint8Array.of(0, 0, 0);
  assert.equal(await check(proof, 'k7'), 'wrong_root');
});

test('no truncation, extension or flipped bit of a proof is accepted', async () => {
  for (const [key, value] of [['k7', 'v7'], ['nobody']]) {
    for (const op of [0, 1]) {
      const good = prove(key)[op].data;
      const judge = (data) => {
        const proof = prove_once(key).map((one) => ({...one}));
        proof[op].data = data;
        return check(proof, key, value);
      };
      for (let size = 0; size < good.length; ++size) {
        assert.equal(await judge(good.slice(0, size)), 'bad_proof', `${op} ${size}`);
      }
      assert.equal(await judge(Uint8Array.from([...good, 0])), 'bad_proof');
      for (let i = 0; i < good.length * 8; ++i) {
        const bad = good.slice();
        bad[i >> 3] ^= 1 << (i & 7);
        assert.notEqual(await judge(bad), 'accepted', `${op} ${i}`);
      }
    }
  }
});
const kept = new Map();
function prove_once(key) {
  if (!kept.has(key)) kept.set(key, prove(key));
  return kept.get(key);
}

test('the sparse decoder has one form of each proof', async () => {
  const {decode_sparse_proof} = await load('../chain/light/sparse.ts');
  const good = prove('k7')[0].data;
  const refused = (spoil) => {
    const bad = good.slice();
    spoil(bad);
    return code_of(async () => decode_sparse_proof(bad));
  };
  const {has_sibling} = decode_sparse_proof(good);
  assert.notEqual(has_sibling.length % 8, 0);
  const last_of_bitmap = 2 + (Math.ceil(has_sibling.length / 8) - 1);
  assert.equal(await refused((b) => (b[last_of_bitmap] |= 1)), 'bad_proof');
  assert.equal(await refused((b) => (b[b.length - 65] = 2)), 'bad_proof');
  assert.equal(await refused((b) => ((b[0] = 1), (b[1] = 1))), 'bad_proof');
  const first = last_of_bitmap + 1;
  assert.equal(await refused((b) => b.fill(0, first, first + 32)), 'bad_proof');
});

test('the operator of names has one form of each proof', async () => {
  const good = prove('k7')[1].data;
  assert.deepEqual(S.encode_value_op(S.decode_value_op(good)), good);
  const loose = Uint8Array.from([good[0], good[1] | 0x80, 0, ...good.slice(2)]);
  assert.equal(await code_of(async () => S.decode_value_op(loose)), 'bad_proof');
  const {proof} = S.decode_value_op(good);
  for (const bad of [{index: proof.total}, {aunts: proof.aunts.slice(1)}, {total: 0n}]) {
    assert.equal(await code_of(S.simple_proof_root({...proof, ...bad})), 'bad_proof');
  }
  for (let total = 1; total <= 20; ++total) {
    const hashes = Array.from({length: total}, (_, i) => sha(Uint8Array.of(0), Uint8Array.of(i)));
    for (let i = 0; i < total; ++i) {
      const aunts = list_aunts(hashes, i);
      const one = {total: BigInt(total), index: BigInt(i), leaf_hash: hashes[i], aunts};
      assert.equal(hex_of(await S.simple_proof_root(one)), hex_of(list_root(hashes)));
    }
  }
});

// --- JSON ----------------------------------------------------------------------------------------

function time_json({seconds, nanos}) {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${whole}${fraction}Z`;
}
const id_json = (id) => ({
  hash: upper(id.hash),
  parts: {total: id.parts_total, hash: upper(id.parts_hash)},
});
function header_json(h) {
  const hashes = Object.entries(h)
    .filter(([, value]) => value instanceof Uint8Array)
    .map(([key, value]) => [key, upper(value)]);
  return {
    version: {block: String(h.block_version), app: String(h.app_version)},
    chain_id: h.chain_id,
    height: String(h.height),
    time: time_json(h.time),
    last_block_id: id_json(h.last_block_id),
    ...Object.fromEntries(hashes),
  };
}
const commit_json = (c) => ({
  height: String(c.height),
  round: c.round,
  block_id: id_json(c.block_id),
  signatures: c.signatures.map((sig) => ({
    block_id_flag: sig.flag,
    validator_address: upper(sig.validator_address),
    timestamp: time_json(sig.timestamp),
    signature: sig.signature.length ? base64(sig.signature) : null,
  })),
});
const signed_json = ({header, commit}) => ({
  header: header_json(header),
  commit: commit_json(commit),
});
const validators_json = (height, set) => ({
  block_height: String(height),
  validators: set.map(({public_key, power}) => ({
    address: '',
    pub_key: {type: 'tendermint/PubKeyEd25519', value: base64(public_key)},
    voting_power: String(power),
    proposer_priority: '-5',
  })),
  count: String(set.length),
  total: String(set.length),
});
const parsed = (value) => parse_json(JSON.stringify(value));

test('what the RPC writes is read back', () => {
  const {signed_header, validators} = chain.at(2);
  signed_header.commit.signatures[1] = {
    flag: 1,
    validator_address: new Uint8Array(),
    timestamp: kGoZero,
    signature: new Uint8Array(),
  };
  const json = signed_json(signed_header);
  assert.deepEqual(J.parse_signed_header(parsed(json)), signed_header);
  const page = J.parse_validators_page(parsed(validators_json(2, validators)));
  assert.deepEqual(page, {height: 2, total: 4, validators});
});

test('each member of a signed header is needed', async () => {
  const whole = signed_json(chain.at(2).signed_header);
  const judge = (value) => code_of(async () => J.parse_signed_header(parsed(value)));
  const paths = [
    ...Object.keys(whole.header).map((key) => ['header', key]),
    ...Object.keys(whole.commit).map((key) => ['commit', key]),
    ['header', 'version', 'block'],
    ['header', 'last_block_id', 'parts'],
    ['commit', 'block_id', 'parts', 'total'],
  ].filter((path) => path[1] !== 'chain_id' && path[1] !== 'signatures');
  for (const path of paths) {
    for (const wrong of [undefined, null, true, '?', -1, []]) {
      const bad = clone(whole);
      const parent = path.slice(0, -1).reduce((value, key) => value[key], bad);
      parent[path.at(-1)] = wrong;
      assert.equal(await judge(bad), 'bad_json', `${path} ${wrong}`);
    }
  }
});

test('hostile forms are refused', async () => {
  const good = JSON.stringify(signed_json(chain.at(2).signed_header));
  const replaced = (from, to) => {
    assert.ok(good.includes(from), from);
    return code_of(async () => J.parse_signed_header(parse_json(good.replace(from, to))));
  };
  assert.equal(await replaced('"height":"2"', '"height":"2"'), 'accepted');
  for (const [from, to] of [
    ['"height":"2"', '"height":2'],
    ['"height":"2"', '"height":"02"'],
    ['"height":"2"', '"height":"-0"'],
    ['"height":"2"', '"height":"9007199254740993"'],
    ['"height":"2"', '"height":"2","height":"2"'],
    ['"block":"11"', '"block":"-11"'],
    ['"block_id_flag":2', '"block_id_flag":4'],
    ['"block_id_flag":2', '"block_id_flag":0'],
    ['"block_id_flag":2', '"block_id_flag":2.0'],
    ['"round":0', '"round":0.5'],
    ['"round":0', '"round":1e3'],
    ['"data_hash":"E3', '"data_hash":"e3'],
    ['"data_hash":"E3', '"data_hash":"E3E3'],
    ['=="', '="'],
  ]) {
    assert.equal(await replaced(from, to), 'bad_json', `${from} ${to}`);
  }
});

test('lists are bounded', async () => {
  const {signed_header, validators} = chain.at(2);
  const absent = {flag: 1, validator_address: [], timestamp: kGoZero, signature: []};
  const judge = (parse, value) => code_of(async () => parse(parsed(value)));
  signed_header.commit.signatures = Array(1001).fill(absent);
  assert.equal(await judge(J.parse_signed_header, signed_json(signed_header)), 'bad_json');
  signed_header.commit.signatures.pop();
  assert.equal(await judge(J.parse_signed_header, signed_json(signed_header)), 'accepted');
  const page = validators_json(2, Array(101).fill(validators[0]));
  assert.equal(await judge(J.parse_validators_page, page), 'bad_json');
  page.validators.pop();
  page.count = '100';
  assert.equal(await judge(J.parse_validators_page, page), 'accepted');
  page.total = '1001';
  assert.equal(await judge(J.parse_validators_page, page), 'bad_json');
});

test('times, integers and base64 have one form', async () => {
  const judge = (read, value, ...rest) => code_of(async () => read(value, ...rest));
  assert.deepEqual(F.time('2019-10-13T16:14:44Z'), {seconds: 1570983284, nanos: 0});
  assert.deepEqual(F.time('2017-12-25T03:00:01.234Z'), kVoteTime);
  assert.deepEqual(F.time('0001-01-01T00:00:00Z'), kGoZero);
  assert.equal(F.time('2024-02-29T23:59:59.999999999Z').nanos, 999_999_999);
  for (const bad of [
    '', 'Z', '2019-10-13T16:14:44', '2019-10-13T16:14:44+00:00', '2019-13-13T16:14:44Z',
    '2019-02-29T16:14:44Z', '2019-10-13T24:14:44Z', '2019-10-13T16:60:44Z', '2019-10-00T16:14:44Z',
    '2019-10-13T16:14:60Z', '2019-10-13t16:14:44Z', '2019-10-13T16:14:44.Z', '2019-00-13T16:14:44Z',
    '2019-10-13T16:14:44.10Z', '2019-10-13T16:14:44.0Z', '2019-10-13T16:14:44.1234567891Z',
    '2019-10-13T16:14:44.12a4Z', '0000-01-01T00:00:00Z', '2019-10-13T16:14:4-Z',
    '2019-10-13T16:14:44Z\n',
  ]) {
    assert.equal(await judge(F.time, bad), 'bad_json', bad);
  }
  assert.equal(F.int64('-9223372036854775808'), -(1n << 63n));
  for (const bad of [
    '', '-', '-0', '00', '01', '+1', ' 1', '1 ', '1.0', '0x1', '1e3', '9223372036854775808', '1\n',
  ]) {
    assert.equal(await judge(F.int64, bad), 'bad_json', bad);
  }
  assert.equal(await judge(F.int64, 1), 'bad_json');
  for (const bad of [
    'Zg', 'Zh==', 'Zm9=', '=Zm9', 'Zm9vYm E', 'Zg==Zg==', 'A===', '====', 'Zm\n9',
  ]) {
    assert.equal(await judge(F.from_base64, bad), 'bad_json', bad);
  }
  assert.deepEqual(F.from_base64('Zm9vYmE='), text('fooba'));
  assert.deepEqual(F.from_base64(''), text(''));
});

test('JSON itself is strict', async () => {
  for (const bad of [
    '', '{', '[1,]', '{"a":1,}', '01', '-0', '1.5', '1e2', '9007199254740993', 'nul', '"\\ud800"',
    '"a', '{"a":1,"a":2}', '1 2', '/**/1', '[1 2]', '\ufeff1', '"\t"', '{a:1}', "'a'",
    '['.repeat(34) + ']'.repeat(34), '['.repeat(200_000),
  ]) {
    assert.equal(await code_of(async () => parse_json(bad)), 'bad_json', bad.slice(0, 40));
  }
  const good = parse_json(' {"a":[1,-2,null,true,"x\\n\\ud83d\\ude00"],"__proto__":{}} ');
  assert.deepEqual(good.get('a'), [1, -2, null, true, 'x\n\u{1f600}']);
});

// --- the client ----------------------------------------------------------------------------------

// An endpoint that serves a chain, up to `height` where it lags. `tamper` changes its answers.
class FakeRpc {
  asked = [];
  constructor(served, states, options = {}) {
    Object.assign(this, {served, states, tamper: (m, p, r) => r, height: Infinity}, options);
  }
  async call(method, params, timeout_ms) {
    this.asked.push(method);
    const result = this.tamper(method, params, this.answer(method, params));
    if (result instanceof Promise) return late(result, timeout_ms);
    if (result === undefined) throw new LightError('remote_refused');
    if (typeof result === 'string') throw new LightError(result);
    return parsed(result);
  }
  answer(method, params) {
    const newest = Math.min(this.height, this.served.height);
    const height = Number(params.height ?? newest);
    if (method !== 'tx' && method !== 'broadcast_tx_sync' && (height < 1 || height > newest)) {
      return undefined;
    }
    return this[method](height, params);
  }
  commit(height) {
    return {signed_header: signed_json(this.served.at(height).signed_header), canonical: true};
  }
  validators(height) {
    return validators_json(height, this.served.at(height).validators);
  }
  block(height) {
    return {block: {data: {txs: this.served.txs[height - 1].map(base64)}}};
  }
  block_results(height) {
    const report = ({code, data, gas_wanted, gas_used}) => ({
      code,
      data: data.length ? base64(data) : null,
      log: 'said',
      gas_wanted: String(gas_wanted),
      gas_used: String(gas_used),
      events: [],
    });
    return {height: String(height), txs_results: this.served.results[height - 1].map(report)};
  }
  abci_query(height, params) {
    const family = params.path.slice('/store/'.length);
    const key = from_hex(params.data);
    const value = this.states[height].families[family]?.[Buffer.from(key)];
    const ops = this.states[height].prove(family, key);
    return {
      response: {
        code: 0,
        log: '',
        key: base64(key),
        value: value === undefined ? null : base64(text(value)),
        height: String(height),
        proofOps: {
          ops: ops.map(({type, key, data}) => ({type, key: base64(key), data: base64(data)})),
        },
      },
    };
  }
  broadcast_tx_sync(height, params) {
    const tx = Buffer.from(params.tx, 'base64');
    return {code: 0, data: '', log: 'in', codespace: '', hash: upper(sha(tx))};
  }
  tx(_, params) {
    for (const [i, txs] of this.served.txs.entries()) {
      const index = txs.findIndex((tx) => base64(sha(tx)) === params.hash);
      if (index >= 0 && i + 1 <= this.height) return {height: String(i + 1), index};
    }
    return undefined;
  }
}
function late(result, timeout_ms) {
  const refusal = new Promise((_, reject) =>
    setTimeout(() => reject(new LightError('deadline_passed')), timeout_ms),
  );
  return Promise.race([result, refusal]);
}

const kTx = text('a transaction');
const kTxId = sha(kTx);
const kOutcome = {...kNoOutcome, code: 7, data: text('out'), gas_wanted: 3n, gas_used: 2n};
// Block h holds the state h of the ledger: key "n" is h.
async function make_ledger(members, count, chain_id = 'l') {
  const ledger = new TestChain(chain_id);
  const states = [new State({})];
  for (let h = 1; h <= count; ++h) {
    const content = h === 3 ? {txs: [text('first'), kTx], results: [kNoOutcome, kOutcome]} : {};
    await ledger.append(members, members, {app_hash: states[h - 1].app_hash(), ...content});
    states.push(new State({accounts: {n: String(h)}}));
  }
  return {ledger, states};
}
const {ledger, states} = await make_ledger(old_set, 6);
const honest = (options) => new FakeRpc(ledger, states, options);
const kUrls = ['http://one/', 'http://two/', 'http://three/'];

function client_of(rpcs, options = {}) {
  const made = new Map(rpcs.map((rpc, i) => [kUrls[i], rpc]));
  return new LightClient({
    endpoints: kUrls.slice(0, rpcs.length),
    chain_id: 'l',
    genesis_validators: ledger.at(1).validators.reverse(),
    fixed_validators: false,
    now: () => ledger.now,
    poll_interval_ms: 5,
    witness_timeout_ms: 50,
    rpc: (url) => made.get(url),
    ...options,
  });
}
const states_of = (client) => client.reports().map(({state}) => state);
const is_text = (bytes, want) => assert.equal(Buffer.from(bytes).toString(), want);

test('a client reads what is proven, and proves absence', async () => {
  const client = client_of([honest(), honest()]);
  const got = await client.read('accounts', text('n'));
  is_text(got.value, '5');
  assert.equal(got.height, 5);
  assert.equal(got.block_time_ms, kStart + 6000);
  const nobody = await client.read('accounts', text('nobody'));
  assert.ok(!('value' in nobody));
  assert.deepEqual(states_of(client), ['agrees', 'agrees']);
  assert.deepEqual(client.reports()[1], {url: kUrls[1], state: 'agrees', height: 6});
  const newest = await client.latest();
  assert.equal(newest.height, 6);
  assert.equal(newest.signed_power, 40n);
  assert.equal(client.newest.total_power, 40n);
});

test('a client proves transactions and their outcome', async () => {
  const client = client_of([honest(), honest()]);
  const sent = await client.broadcast(kTx);
  assert.equal(sent.code, 0);
  assert.deepEqual(sent.tx_id, kTxId);
  const got = await client.wait_tx(kTxId, 1000);
  assert.deepEqual(got, {height: 3, code: 7, data: text('out'), log: 'said'});
  const txs = await client.block_txs(3);
  assert.deepEqual(txs, [text('first'), kTx]);
  assert.deepEqual(await client.block_txs(1), []);
  assert.equal((await client.watch(4, 1000)).height, 4);
  const none = client.wait_tx(sha(text('never')), 30);
  assert.equal(await code_of(none), 'not_yet');
  assert.deepEqual(states_of(client), ['agrees', 'agrees']);
});

test('options that make no sense are refused', async () => {
  const make = (options) => code_of(async () => client_of([honest(), honest()], options));
  assert.equal(await make({endpoints: ['http://one/']}), 'bad_options');
  assert.equal(await make({endpoints: ['http://one/'], allow_single: true}), 'accepted');
  assert.equal(await make({endpoints: []}), 'bad_options');
  assert.equal(await make({endpoints: ['http://one', 'http://one/']}), 'bad_options');
  assert.equal(await make({endpoints: ['http://one', 'file:///x']}), 'bad_options');
  assert.equal(await make({endpoints: ['http://one', '/rpc']}), 'bad_options');
  const many = Array.from({length: 9}, (_, i) => `http://e${i}/`);
  assert.equal(await make({endpoints: many}), 'bad_options');
  const client = client_of([honest(), honest()]);
  assert.equal(await code_of(client.block_txs(0)), 'bad_options');
  assert.equal(await code_of(client.read('accounts', text('n'), 0.5 + 2)), 'bad_options');
});

test('waits for a height, and not longer than its deadline', async () => {
  const growing = honest({height: 4});
  const client = client_of([growing, honest({height: 4})]);
  setTimeout(() => (growing.height = 6), 30);
  const got = await client.read('accounts', text('n'), 5, 2000);
  assert.equal(got.height, 5);
  const begun = performance.now();
  assert.equal(await code_of(client.read('accounts', text('n'), 9, 60)), 'not_yet');
  assert.ok(performance.now() - begun < 1000);
  assert.equal(await code_of(client.watch(9, 40)), 'not_yet');
});

function lie(method, change) {
  return (asked, params, result) => {
    if (asked !== method || result === undefined) return result;
    const copy = clone(result);
    change(copy, params);
    return copy;
  };
}
const kLies = [
  ['another value', lie('abci_query', (r) => (r.response.value = base64(text('6'))))],
  ['absence', lie('abci_query', (r) => (r.response.value = null))],
  ['another height', lie('abci_query', (r) => (r.response.height = '4'))],
  ['no proof', lie('abci_query', (r) => (r.response.proofOps = null))],
  ['another form', lie('abci_query', (r) => (r.response = []))],
  ['a forged header', lie('commit', (r) => (r.signed_header.header.app_hash = 'AA'.repeat(32)))],
  ['another chain', lie('commit', (r) => (r.signed_header.header.chain_id = 'm'))],
  [
    'forged signatures',
    lie('commit', (r) =>
      r.signed_header.commit.signatures.forEach((sig) => (sig.signature = base64(filled(64, 9)))),
    ),
  ],
  ['another set', lie('validators', (r) => r.validators.pop() && (r.count = r.total = '3'))],
  ['a set without end', lie('validators', (r) => (r.total = '999'))],
];
for (const [name, tamper] of kLies) {
  test(`a lying endpoint gives way to the other: ${name}`, async () => {
    const client = client_of([honest({tamper}), honest()]);
    const got = await client.read('accounts', text('n'));
    is_text(got.value, '5');
    assert.deepEqual(states_of(client), ['lying', 'agrees']);
    const alone = client_of([honest({tamper})], {allow_single: true});
    assert.notEqual(await code_of(alone.read('accounts', text('n'))), 'accepted');
  });
}

test('a lie about a transaction is not believed', async () => {
  const lies = [
    lie('block_results', (r) => r.txs_results.forEach((one) => (one.code = 0))),
    lie('block_results', (r) => r.txs_results.pop()),
    lie('block', (r) => r.block.data.txs.reverse()),
    lie('block', (r) => r.block.data.txs.pop()),
    lie('tx', (r) => (r.index = 0)),
    lie('tx', (r) => (r.height = '2')),
  ];
  for (const tamper of lies) {
    const client = client_of([honest({tamper}), honest()]);
    assert.equal((await client.wait_tx(kTxId, 1000)).code, 7);
    assert.deepEqual(states_of(client), ['lying', 'agrees']);
  }
  const tamper = lie('broadcast_tx_sync', (r) => (r.hash = '00'.repeat(32)));
  const client = client_of([honest({tamper}), honest()]);
  assert.deepEqual((await client.broadcast(kTx)).tx_id, kTxId);
  assert.deepEqual(states_of(client).slice(0, 1), ['lying']);
});

test('a witness whose header does not verify is lying', async () => {
  const change = (r, params) => {
    if (params.height === '6') r.signed_header.header.app_hash = 'AA'.repeat(32);
  };
  const client = client_of([honest(), honest({tamper: lie('commit', change)})]);
  assert.equal((await client.latest()).height, 6);
  assert.deepEqual(states_of(client), ['agrees', 'lying']);
  assert.equal(client.reports()[1].error, 'wrong_header_hash');
});

test('two headers of one height that verify: everything is refused from then on', async () => {
  const fork = await make_ledger(old_set, 5);
  await fork.ledger.append(old_set, old_set, {app_hash: filled(32, 7)});
  const client = client_of([honest(), new FakeRpc(fork.ledger, fork.states)]);
  assert.equal(await code_of(client.latest()), 'conflicting_headers');
  assert.equal(client.newest.height, 1); // nothing of the attack was kept
  assert.equal(await code_of(client.read('accounts', text('n'))), 'conflicting_headers');
  assert.equal(await code_of(client.broadcast(kTx)), 'conflicting_headers');
  assert.equal(await code_of(client.wait_tx(kTxId, 100)), 'conflicting_headers');
  assert.equal(await code_of(client.block_txs(3)), 'conflicting_headers');
  assert.equal(await code_of(client.watch(3, 100)), 'conflicting_headers');
});

test('a conflict in the past is found when that height is verified', async () => {
  const fork = await make_ledger(old_set, 3);
  const tamper = (method, params, result) =>
    method === 'commit' && params.height === '3' ? fork_answer : result;
  const {header} = fork.ledger.at(3).signed_header;
  header.data_hash = sha(text('other'));
  const fork_answer = {signed_header: signed_json((await sign(header, old_set)).signed_header)};
  const client = client_of([honest(), honest({tamper})]);
  assert.equal((await client.latest()).height, 6);
  assert.equal(await code_of(client.block_txs(3)), 'conflicting_headers');
});

test('endpoints that are silent, late or behind', async () => {
  const gone = honest({tamper: () => 'unreachable'});
  const client = client_of([gone, honest()]);
  is_text((await client.read('accounts', text('n'))).value, '5');
  assert.deepEqual(states_of(client), ['unreachable', 'agrees']);
  const resting = gone.asked.length;
  await client.read('accounts', text('n'));
  assert.equal(gone.asked.length, resting); // whoever answered last is asked first

  const never = honest({tamper: () => new Promise(() => {})});
  const patient = client_of([never, honest()], {call_timeout_ms: 30});
  is_text((await patient.read('accounts', text('n'))).value, '5');
  assert.deepEqual(states_of(patient), ['unreachable', 'agrees']);

  const lagging = client_of([honest(), honest({height: 4})]);
  is_text((await lagging.read('accounts', text('n'))).value, '5');
  assert.deepEqual(states_of(lagging), ['agrees', 'behind']);

  const nobody = client_of([gone, honest({tamper: () => 'deadline_passed'})]);
  assert.equal(await code_of(nobody.latest()), 'deadline_passed');
  assert.deepEqual(states_of(nobody), ['unreachable', 'unreachable']);
});

test('old headers, expired trust, and fixed validators', async () => {
  const late_now = {now: () => ledger.now + 60_000};
  const stale = client_of([honest(), honest()], late_now);
  assert.equal(await code_of(stale.latest()), 'stale');
  assert.deepEqual(states_of(stale), ['behind', 'behind']);
  assert.equal(stale.newest.height, 6);
  const patient = client_of([honest(), honest()], {...late_now, max_age_ms: 120_000});
  assert.equal((await patient.latest()).height, 6);
  const month = {now: () => ledger.now + 30 * 86_400_000, max_age_ms: 40 * 86_400_000};
  const expired = client_of([honest(), honest()], month);
  assert.equal(await code_of(expired.latest()), 'trust_expired');
  const fixed = client_of([honest(), honest()], {...month, fixed_validators: true});
  assert.equal((await fixed.latest()).height, 6);
  const early = client_of([honest(), honest()], {now: () => kStart - 60_000});
  assert.equal(await code_of(early.latest()), 'from_the_future');
});

test('another genesis is another chain', async () => {
  const genesis_validators = chain.at(10).validators;
  const other = client_of([honest(), honest()], {genesis_validators});
  assert.equal(await code_of(other.latest()), 'wrong_trust_root');
  const named = client_of([honest(), honest()], {chain_id: 'm'});
  assert.equal(await code_of(named.latest()), 'wrong_chain');
});

test('a client bisects where the set turned over', async () => {
  const serve = () => new FakeRpc(turnover, []);
  const rpcs = [serve(), serve()];
  const client = client_of(rpcs, {
    chain_id: 't',
    genesis_validators: turnover.at(1).validators,
    now: () => turnover.now,
  });
  assert.equal((await client.latest()).height, 60);
  assert.deepEqual(states_of(client), ['agrees', 'agrees']);
  assert.ok(rpcs[0].asked.filter((method) => method === 'commit').length > 5);
  assert.deepEqual(await client.block_txs(30), []);
});

test('a client that lives long still verifies early heights', async () => {
  const one = [await make_validator(1n)];
  const long = new TestChain('long');
  for (let h = 1; h <= 300; ++h) await long.append(one, one);
  const rpc = new FakeRpc(long, [], {height: 1});
  const client = client_of([rpc], {
    allow_single: true,
    chain_id: 'long',
    genesis_validators: long.at(1).validators,
    now: () => long.now,
    max_age_ms: 1e9,
  });
  for (rpc.height = 2; rpc.height <= 300; ++rpc.height) await client.latest();
  rpc.height = 300;
  assert.deepEqual(await client.block_txs(3), []);
  assert.deepEqual(states_of(client), ['agrees']);
});

// --- HTTP ----------------------------------------------------------------------------------------

async function serve(answer, work) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => answer(JSON.parse(body), response, request));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const ask = (answer, timeout = 1000) =>
  serve(answer, (url) => new HttpRpc(url).call('status', {height: '1'}, timeout));

test('the envelope: one result of our request, or one error', async () => {
  let seen;
  const result = await ask((body, response, request) => {
    seen = {body, method: request.method, type: request.headers['content-type']};
    response.end('{"jsonrpc":"2.0","id":1,"result":{"a":1}}');
  });
  assert.equal(result.get('a'), 1);
  assert.deepEqual(seen, {
    body: {jsonrpc: '2.0', id: 1, method: 'status', params: {height: '1'}},
    method: 'POST',
    type: 'application/json',
  });
  const says = (text, status = 200) =>
    code_of(ask((_, response) => response.writeHead(status).end(text)));
  const error = (data) => `{"jsonrpc":"2.0","id":-1,"error":{"code":-32603,"data":"${data}"}}`;
  assert.equal(await says(error('no')), 'remote_refused');
  assert.equal(await says(error('no'), 500), 'remote_refused');
  assert.equal(await says(error('height 1 is not available, lowest height is 5')), 'pruned');
  for (const bad of [
    '', '[]', 'null', '{}', '{"jsonrpc":"2.0","id":1}', '{"id":1,"result":1}',
    '{"jsonrpc":"1.0","id":1,"result":1}', '{"jsonrpc":"2.0","id":2,"result":1}',
    '{"jsonrpc":"2.0","result":1}', '{"jsonrpc":"2.0","id":1,"result":1,"error":null}',
    '{"jsonrpc":"2.0","id":1,"result":1}x', Buffer.from('2231ff22', 'hex'),
  ]) {
    assert.equal(await says(bad), 'bad_json', String(bad));
  }
  assert.equal(await says('<html>no</html>', 502), 'unreachable');
});

test('deadlines, size limits, redirects and closed doors', async () => {
  assert.equal(await code_of(ask(() => {}, 50)), 'deadline_passed');
  const drip = (_, response) => {
    response.write('{"jsonrpc":"2.0",');
  };
  assert.equal(await code_of(ask(drip, 50)), 'deadline_passed');
  const cut = (_, response) => {
    response.writeHead(200, {'Content-Length': '100'});
    response.write('{');
    setTimeout(() => response.destroy(), 10);
  };
  assert.equal(await code_of(ask(cut)), 'unreachable');
  const flood = (_, response) => {
    const part = Buffer.alloc(1 << 20, 32);
    for (let i = 0; i < 33; ++i) response.write(part);
    response.end();
  };
  assert.equal(await code_of(ask(flood, 5000)), 'bad_json');
  const away = (_, response) => response.writeHead(307, {Location: 'http://127.0.0.1:1/'}).end();
  assert.equal(await code_of(ask(away)), 'unreachable');
  assert.equal(await code_of(new HttpRpc('http://127.0.0.1:1/').call('x', {}, 500)), 'unreachable');
});

test('a client over HTTP', async () => {
  const rpc = honest();
  const answer = ({id, method, params}, response) => {
    const result = rpc.answer(method, params);
    const said = result === undefined ? {error: {code: -32603, message: 'no'}} : {result};
    response.end(JSON.stringify({jsonrpc: '2.0', id, ...said}));
  };
  await serve(answer, (one) =>
    serve(answer, async (two) => {
      const client = new LightClient({
        endpoints: [one, two],
        chain_id: 'l',
        genesis_validators: ledger.at(1).validators,
        fixed_validators: true,
        now: () => ledger.now,
      });
      is_text((await client.read('accounts', text('n'))).value, '5');
      assert.equal((await client.wait_tx(kTxId, 1000)).code, 7);
      assert.deepEqual(states_of(client), ['agrees', 'agrees']);
    }),
  );
});
