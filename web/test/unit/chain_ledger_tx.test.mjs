import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {test} from 'node:test';

import {load} from './load.mjs';

const ledger = await load('../chain/ledger/index.ts');
const {decode, encode, make_tx} = ledger;

const hex = (text) => text.replace(/\s/g, '');
const bytes_of = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const hex_of = (bytes) => Buffer.from(bytes).toString('hex');
const hash_of = async (text) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));

// As the nodes' own code signs and writes them.
const kGiven = {
  account_a: 'eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e',
  transfer: hex(`
    a201585aa60165636861696e025820eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f
    0e03030401055826a2015820663ea1bfffe5038f3f0cf667f14c4257eff52d77ce7f2a218f72e9286616ea390207
    060b025840e4dd21abc554722d2cb7b9ecf905d06a48ac6573d71b421acf6245c609863791debe2930ab9f6baa7b
    fdaad4cbf6a90a7225bb4c787e1c3ede371c1cf4411a0d
  `),
  open: hex(`
    a201587aa60165636861696e025820eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f
    0e03040414055846a70158209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e402a4
    01420103024101030104f4031a000186a0041a000493e00519753006186407f506000258409d2a236db2c9b429b3
    c082c8dde4f2494c662a1ed5eb8e73d32a02cd81fb1eba17d79a2a1a174a9585858e1cc77d3121bff333b43b4645
    51b9a49d22e2b5c204
  `),
  submit: hex(`
    a201587da60165636861696e025820eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f
    0e030404181e055848a101a70158209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825
    e402a401420103024101030104f4031a000186a0041a000493e00519753006186407f506000258403e1494fb8036
    f1335540a8086a40b98330f88f0796acc6efea75b1d5342b2b4f5ccee4a2a0bd4b36d2a92b72c6dfbe6943aa38d4
    c156c71be286178ae653f00e
  `),
  input: hex(`
    a2015901bda60165636861696e025820eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a4
    9f0e031bffffffffffffffff04181f0559017ba30158205e8c9902207afaeb7120430c585a445f21e92932081d64
    bc99f80e4925bcb0020258205e8c03a94c7835b87dd82c690f9f85c08592ef7433aa141ceaacb36a9f4da43403a2
    0159012c090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909
    090909090909090909090909090909090909090909090909090909090280061a00011170025840e35cd4b42ee06a
    2368d78f1b67cbb65b00b9425ee9fb62a8793175bc5a5d8fd3b293fa133d3d49397a67adc30e98b5c02e2ab4d360
    b6d48ee78c603f3a89e907
  `),
  close: hex(`
    a2015859a60165636861696e025820eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f
    0e0305041818055824a10158203f3af1ecebbd1410ab417ec0d27bbfcb5d340e177ae159b59fc8626c2dfd917506
    010258409a09876b75ed7687231139ad6ee7cf0c87bfc397d6717145c3086a39dc3c18342b976982717970903b65
    40982671cb6f206b45ab8742319c8f47aad6eb089e05
  `),
  transfer_id: 'daf965becbdc263abfaa1e30e5a665caa7bbecaf4eb410ab8841b260250f6bf2',
  session_id: '657698b13b3a1a5cfb65bb918075886c748e69f5ae4f88589572285291d0cea0',
  twin_id: '1a30fb473d177a8891fdb4cb4499bf1a4319f5bcaad8caccc563cfb029e929f9',
  receipt: hex(`
    b001010265636861696e0358203f3af1ecebbd1410ab417ec0d27bbfcb5d340e177ae159b59fc8626c2dfd917504
    020558205e8c03a94c7835b87dd82c690f9f85c08592ef7433aa141ceaacb36a9f4da4340658209372c470eeadd5
    ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4075820000000000000000000000000000000000000
    00000000000000000000000000000858200000000000000000000000000000000000000000000000000000000000
    00000009582000000000000000000000000000000000000000000000000000000000000000000a0c0b19012c0c1a
    000111700da5011a000aae6002000300041840055820000000000000000000000000000000000000000000000000
    00000000000000000e582000000000000000000000000000000000000000000000000000000000000000000f1b00
    00018bcfe568001058200000000000000000000000000000000000000000000000000000000000000000
  `),
  receipt_signature: hex(`
    ab66702632699e96834134b3e98268485bdd099ce278c60d6bf59339dcdc63f92ef6d7243a9cb35828715e7fa73a
    54c65061768db5d9750287ba34a29dfbfd02
  `),
  evidence_hash: '9a0dacdfb99393a8f94005b6f69032cdfa79a1c09ad187f8f9fa6a8492f9fbc3',
};

const key = await ledger.signing_key(await hash_of('a'));
const identity = bytes_of(kGiven.account_a);
const options = (nonce, fee_micro = 0n) => ({chain_id: 'chain', nonce, fee_micro});
const session = {
  model_root: await hash_of('model'),
  requirement: {formats: [1, 3], tcb_statuses: [1], diversity: 1, gpu: false},
  max_units: 100_000n,
  price_cap_micro: 300_000n,
  deposit_micro: 30_000n,
  lifetime_blocks: 100n,
  allow_audit: true,
};

test('a seed gives the account of the nodes', () => {
  assert.equal(hex_of(key.account), kGiven.account_a);
});

test('each transaction is signed as the nodes do', async () => {
  const transfer = {to: await hash_of('to'), amount_micro: 7n};
  const input = {
    job: await hash_of('job'),
    instance: await hash_of('instance'),
    input: ledger.inline_payload(new Uint8Array(300).fill(9)),
  };
  const close = {session: await hash_of('session')};
  const made = {
    transfer: await make_tx(ledger.kTransfer, transfer, options(3n, 11n), key),
    open: await make_tx(ledger.kOpenSession, session, options(4n), key),
    submit: await make_tx(ledger.kSubmitJob, {session}, options(4n), key),
    input: await make_tx(ledger.kPostInput, input, options((1n << 64n) - 1n, 70_000n), key),
    close: await make_tx(ledger.kCloseSession, close, options(5n, 1n), key),
  };
  for (const [name, bytes] of Object.entries(made)) {
    assert.equal(hex_of(bytes), kGiven[name], name);
    const {tx, signature} = decode(ledger.kSignedTx, bytes);
    assert.deepEqual(decode(ledger.kTx, tx).account, key.account);
    assert.equal(signature.length, 64);
  }
  assert.equal(hex_of(await ledger.tx_id(made.transfer)), kGiven.transfer_id);
});

test('the ids of sessions', async () => {
  const id = await ledger.session_id('chain', key.account, 4n);
  assert.equal(hex_of(id), kGiven.session_id);
  assert.equal(hex_of(await ledger.twin_id(id)), kGiven.twin_id);
  assert.notDeepEqual(await ledger.session_id('other', key.account, 4n), id);
  await assert.rejects(ledger.session_id('chain', key.account, -1n));
});

test('what the ledger would refuse is not sent', async () => {
  const to = new Uint8Array(32);
  const wrong = [
    [{to, amount_micro: -1n}, options(0n)],
    [{to: new Uint8Array(31), amount_micro: 1n}, options(0n)],
    [{to, amount_micro: 1n}, options(-1n)],
    [{to, amount_micro: 1n}, options(1n << 64n)],
    [{to, amount_micro: 1n}, {...options(0n), chain_id: 'c'.repeat(51)}],
  ];
  for (const [body, given] of wrong) {
    await assert.rejects(make_tx(ledger.kTransfer, body, given, key));
  }
  assert.throws(() => encode(ledger.kSubmitJob.codec, {session: {...session, max_units: 1.5}}));
  await assert.rejects(ledger.signing_key(new Uint8Array(31)));
});

test('a receipt opens with the key that signed it and no other', async () => {
  const receipt = bytes_of(kGiven.receipt);
  const signature = bytes_of(kGiven.receipt_signature);
  const opened = await ledger.open_receipt(receipt, signature, identity);
  assert.equal(opened.chain_id, 'chain');
  assert.equal(opened.sequence, 2n);
  assert.equal(opened.completion_units, 300n);
  assert.equal(opened.sampler.temperature_micro, 700_000);
  assert.equal(hex_of(encode(ledger.kReceipt, opened)), kGiven.receipt);
  const other = await ledger.signing_key(await hash_of('b'));
  await assert.rejects(ledger.open_receipt(receipt, signature, other.account));
  for (let at = 0; at < 64; ++at) {
    const bad = signature.slice();
    bad[at] ^= 1;
    await assert.rejects(ledger.open_receipt(receipt, bad, identity), `${at}`);
  }
  for (let at = 0; at < receipt.length; ++at) {
    const bad = receipt.slice();
    bad[at] ^= 1;
    await assert.rejects(ledger.open_receipt(bad, signature, identity), `${at}`);
    await assert.rejects(ledger.open_receipt(receipt.slice(0, at), signature, identity));
  }
  const longer = Uint8Array.of(...receipt, 0);
  await assert.rejects(ledger.open_receipt(longer, signature, identity));
});

test('the hash of evidence', async () => {
  const item = {format: 3, bytes: Uint8Array.of(1, 2, 3)};
  assert.equal(hex_of(await ledger.evidence_hash([item, item])), kGiven.evidence_hash);
});

test('keys and R of small order or not canonical are refused', async () => {
  const message = new Uint8Array();
  const prime = (1n << 255n) - 19n;
  const order8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  // Twice a point of order 8 has y = 0, where x^2 = -y^2: then 2 y^2 = 1 - d y^4 on the curve.
  const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
  const square = (order8 * order8) % prime;
  assert.equal((2n * square + d * square * square - 1n) % prime, 0n);
  const small = [0n, 1n, prime - 1n, order8, prime - order8, prime, prime + 1n];
  for (const y of small) {
    for (const sign of [0n, 1n << 255n]) {
      const text = (y + sign).toString(16).padStart(64, '0');
      const point = Uint8Array.of(...bytes_of(text).reverse());
      const signature = Uint8Array.of(1, ...new Uint8Array(63));
      assert.equal(await ledger.verify_ed25519(point, message, signature), false);
      const small_r = Uint8Array.of(...point, ...new Uint8Array(32));
      assert.equal(await ledger.verify_ed25519(identity, message, small_r), false);
    }
  }
  assert.equal(await ledger.verify_ed25519(identity, message, new Uint8Array(63)), false);
  assert.equal(await ledger.verify_ed25519(new Uint8Array(31), message, new Uint8Array(64)), false);
});

const kVectors =
  process.env.CLOISTER_VECTORS ?? new URL('../../../../shared/vectors', import.meta.url).pathname;
const kWycheproof = `${kVectors}/crypto/wycheproof/ed25519_test.json`;

test('Ed25519 agrees with Wycheproof', async (t) => {
  if (!existsSync(kWycheproof)) return t.skip('skipped: no vectors beside the checkout');
  let seen = 0;
  for (const group of JSON.parse(readFileSync(kWycheproof, 'utf8')).testGroups) {
    for (const each of group.tests) {
      const [pk, msg, sig] = [group.publicKey.pk, each.msg, each.sig].map(bytes_of);
      const holds = await ledger.verify_ed25519(pk, msg, sig);
      assert.equal(holds, each.result === 'valid', `${each.tcId} ${each.comment}`);
      seen += 1;
    }
  }
  assert.equal(seen, 150);
});
