import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const ledger = await load('../chain/ledger/index.ts');
const {decode, encode} = ledger;

const hex = (text) => text.replace(/\s/g, '');
const bytes_of = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const hex_of = (bytes) => Buffer.from(bytes).toString('hex');

// As the nodes' own encoder writes the samples of their tests.
const kGiven = {
  instance: hex(`
    b8180158205e8c03a94c7835b87dd82c690f9f85c08592ef7433aa141ceaacb36a9f4da43402582006e55b633481
    f7bb072957eabcf110c972e86691c3cfedabe088024bffe42f23035820689f6a627384c7dcb2dcc1487e540223e7
    7bdf9dcd0d8be8a326eda65b0ce9a40458206feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c8
    6e56892b0558203ffeb4c53ca2c4342a9cb654906a6cd67456e140ebb6e1cf85fcc4449b94cd0a06430102030758
    40000000000005000000000000000000000000000000000000000000000000000000000000000000000000000000
    00000000000000000000000000000000000000085820ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7
    c0d31ec20f0a0a8e0981ac01010263544458035820d294fcce0cc88587843099d85dd805aeef1b09a63b0db1dd3e
    4dc62a343c1db5040205826e494e54454c2d53412d30303030316e494e54454c2d53412d30303030320611075830
    07070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707
    07070882583001010101010101010101010101010101010101010101010101010101010101010101010101010101
    01010101010101015830020202020202020202020202020202020202020202020202020202020202020202020202
    02020202020202020202020209583009090909090909090909090909090909090909090909090909090909090909
    09090909090909090909090909090909090af50b600c600af50b716e6f64652e6578616d706c653a383434330c81
    a20158209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4021a0003d0900d040e01
    0f011001110a1214131903e814f4150016001700181880
  `),
  session: hex(`
    b81f0158203f3af1ecebbd1410ab417ec0d27bbfcb5d340e177ae159b59fc8626c2dfd917502582004f8996da763
    b7a969b1028ee3007569eaf3a635486ddab211d512c85b9df8fb0358209372c470eeadd5ecd9c3c74c2b3cb633f8
    e2f2fad799250a0f70d652b6b825e404a40142010302420102030204f4051a000186a0061a000493e00719753008
    197148091903e80a18640bf50c030d030e040f1868108158205e8c03a94c7835b87dd82c690f9f85c08592ef7433
    aa141ceaacb36a9f4da434111a0003d0901206130814582011e221bd1b7fc99544f3f765b0c39dd2786e636c3422
    d6bec026d1ed03884cac150116190fa0170118180018198158202af11c540e7d0bd8d987e4c40c2af9e55f9d7670
    82f05591d0e2bfc1c5069786181a80181b00181cf4181d80181e815820214eef8e7fea5a2352f082af0e79802657
    e4ffa93ab926dc66e99f53281ee2e7181f4103
  `),
  account: 'a2011bffffffffffffffff021818',
  keys: hex(`
    a10182a40100020003000440a4011903e80200030004581e01010101010101010101010101010101010101010101
    0101010101010101
  `),
  job: hex(`
    a40158205e8c9902207afaeb7120430c585a445f21e92932081d64bc99f80e4925bcb0020281a201430102030280
    0381a201400281a3015820512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868020c03
    7368747470733a2f2f6578616d706c652f666172041a00011170
  `),
  model: hex(`
    ad0158209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e402656d6f64656c035820
    00000000000000000000000000000000000000000000000000000000000000000458200000000000000000000000
    0000000000000000000000000000000000000000000500066a4170616368652d322e30076651345f4b5f4d081908
    0009800a000b010c582000000000000000000000000000000000000000000000000000000000000000000df4
  `),
  params: hex(`
    b8310100021a000f4240031903e8041a0007a120051901f406183207190258081a000151800918640a18c80b1a00
    0151800c18320d1927100e030f1901f410011114121901f4131a001baf80141a000186a0151864161a0001518017
    1a0001518018181a0001518018191901f4181a1a000186a0181b190e10181c0a181d03181e1901f4181f1903e818
    201904b018211901f418221864182318c818241864182518c818261a00061a8018271a00061a8018281a00061a80
    1829194e20182a19c350182b1a000186a0182c1907d0182d1832182e1a000186a0182f19c35018301a000186a018
    311a00989680
  `),
  policy: hex(`
    aa0101024201020300048005800681a80172636c6f69737465722d6e6f6465207465737402010358300707070707
    07070707070707070707070707070707070707070707070707070707070707070707070707070707070707048005
    00061bffffffffffffffff0760086007f5088009800a40
  `),
  drawn: hex(`
    a201050281a2015820de7d1b721a1e0632b7cf04edf5032c8ecffa9f9a08492152b926f1a5a7e765d70281420102
  `),
  pools: hex(`
    a201050281a301a40158209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4020203
    19012c04120258204813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2031901f4
  `),
  beacon: hex(`
    a3011a000111700281a4011901010258200000000000000000000000000000000000000000000000000000000000
    00000003582000000000000000000000000000000000000000000000000000000000000000000458200000000000
    000000000000000000000000000000000000000000000000000000038158208a62e967fcd6dfa5d75308c37808b4
    668a7faf1cdb06e09ac0a7161827603887
  `),
};
const kForms = {
  instance: ledger.kInstance,
  session: ledger.kSession,
  account: ledger.kAccount,
  keys: ledger.kKeySet,
  job: ledger.kJob,
  model: ledger.kModel,
  params: ledger.kParams,
  policy: ledger.kNetworkPolicy,
  drawn: ledger.kDrawn,
  pools: ledger.kFrozenPools,
  beacon: ledger.kBeacon,
};

const read = (name) => decode(kForms[name], bytes_of(kGiven[name]));

test('each record is read and written as the nodes do', () => {
  for (const [name, form] of Object.entries(kForms)) {
    assert.equal(hex_of(encode(form, read(name))), kGiven[name], name);
  }
});

test('each cut and each trailing byte is refused', () => {
  for (const [name, form] of Object.entries(kForms)) {
    const whole = bytes_of(kGiven[name]);
    for (let n = 0; n < whole.length; ++n) {
      assert.throws(() => decode(form, whole.subarray(0, n)), `${name} ${n}`);
    }
    assert.throws(() => decode(form, Uint8Array.of(...whole, 0)), name);
  }
});

test('a changed byte is refused or is another record in its only form', () => {
  let refused = 0;
  for (const [name, form] of Object.entries(kForms)) {
    const whole = bytes_of(kGiven[name]);
    for (let at = 0; at < whole.length; ++at) {
      for (const flip of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const changed = whole.slice();
        changed[at] ^= flip;
        let value;
        try {
          value = decode(form, changed);
        } catch (error) {
          assert.ok(error instanceof ledger.RecordError || error instanceof ledger.CborError);
          refused += 1;
          continue;
        }
        assert.equal(hex_of(encode(form, value)), hex_of(changed), `${name} ${at} ${flip}`);
      }
    }
  }
  assert.ok(refused > 1000);
});

test('members mean what they are called', () => {
  const instance = read('instance');
  assert.equal(instance.endpoint, 'node.example:8443');
  assert.equal(instance.state, 'active');
  assert.equal(instance.offers[0].price_micro, 250_000n);
  assert.equal(instance.capacity, 4);
  assert.equal(instance.expires_height, 1000n);
  assert.equal(instance.gpu_nonce, undefined);
  assert.equal(instance.platforms[0].product, 'TDX');
  assert.deepEqual(instance.platforms[0].advisories, ['INTEL-SA-00001', 'INTEL-SA-00002']);
  const session = read('session');
  assert.equal(session.state, 'confirmed');
  assert.equal(session.due_height, 104n);
  assert.equal(session.cumulative_units, 4000n);
  assert.deepEqual(session.requirement, {
    formats: [1, 3],
    tcb_statuses: [1, 2],
    diversity: 2,
    gpu: false,
  });
  assert.deepEqual(session.instance, instance.id);
  assert.deepEqual(read('account'), {balance_micro: (1n << 64n) - 1n, nonce: 24n});
  assert.equal(read('keys').epochs[1].epoch, 1000n);
  const job = read('job');
  assert.equal(hex_of(job.input.inline_bytes), '010203');
  assert.equal(job.result.reference.uri, 'https://example/far');
  assert.equal(job.due_height, 70_000n);
  assert.equal(read('model').quantization, 'Q4_K_M');
  assert.equal(read('params').validator_stake_micro, 10_000_000n);
  assert.equal(read('policy').allow_development, true);
  assert.equal(read('policy').releases[0].valid_until_height, (1n << 64n) - 1n);
  assert.equal(read('pools').pools[0].key.statuses, 300);
  assert.equal(read('beacon').shares[0].index, 257);
});

test('what is out of its bounds is not written', () => {
  const wrong = [
    [ledger.kAccount, {balance_micro: -1n, nonce: 0n}],
    [ledger.kAccount, {balance_micro: 1n << 64n, nonce: 0n}],
    [ledger.kAccount, {balance_micro: 0, nonce: 0n}],
    [ledger.kModel, {...read('model'), root: new Uint8Array(31)}],
    [ledger.kModel, {...read('model'), name: 'n'.repeat(97)}],
    [ledger.kModel, {...read('model'), access: 'shut'}],
    [ledger.kInstance, {...read('instance'), capacity: 2 ** 32}],
    [ledger.kInstance, {...read('instance'), claims: new Uint8Array(2049)}],
    [ledger.kSession, {...read('session'), excluded: Array(17).fill(new Uint8Array(32))}],
  ];
  for (const [form, value] of wrong) assert.throws(() => encode(form, value));
});

test('states that are not of their list are refused', () => {
  assert.ok(kGiven.session.includes('0bf50c03')); // allow_audit, then the state
  for (const state of ['00', '07', '1818', '190100']) {
    const spoilt = kGiven.session.replace('0bf50c03', `0bf50c${state}`);
    assert.throws(() => decode(ledger.kSession, bytes_of(spoilt)));
  }
});

test('payloads are here or elsewhere, never both or neither', () => {
  const {input, result} = read('job');
  assert.equal(ledger.valid_payload(input), true);
  assert.equal(ledger.valid_payload(result), true);
  assert.equal(ledger.valid_payload({...input, reference: result.reference}), false);
  assert.equal(ledger.valid_payload({...input, inline_bytes: new Uint8Array()}), false);
  const far = {...result.reference, size_bucket: 41};
  assert.equal(ledger.valid_payload({...result, reference: far}), false);
  assert.throws(() => ledger.inline_payload(new Uint8Array()));
});

test('keys of the store', async () => {
  assert.equal(ledger.kFamilies.length, 22);
  assert.deepEqual([...ledger.kFamilies].sort(), [...ledger.kFamilies]);
  const root = read('model').root;
  assert.equal(hex_of(ledger.frozen_key(70_000n, root)), hex(`
    00000000000111709372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4
  `));
  assert.equal(hex_of(await ledger.model_name_key('model')), hex(`
    179c2d715bbcb1c6c8631e74dec6845e7ed197b45279fb9601a10355f85b1c9e00
  `));
  assert.equal(hex_of(ledger.number_key(258n)), '0000000000000102');
  assert.throws(() => ledger.number_key(-1n));
  assert.throws(() => ledger.id_key(new Uint8Array(31)));
});

test('costs are rounded up once', () => {
  assert.equal(ledger.cost_micro(0n, 5n), 0n);
  assert.equal(ledger.cost_micro(1n, 1n), 1n);
  assert.equal(ledger.cost_micro(1_000_000n, 7n), 7n);
  assert.equal(ledger.cost_micro(1_000_001n, 7n), 8n);
  assert.equal(ledger.cost_micro((1n << 64n) - 1n, (1n << 64n) - 1n), undefined);
});

test('codes have names', () => {
  assert.equal(ledger.code_of(0).name, 'ok');
  assert.equal(ledger.code_of(8).name, 'fee_too_low');
  assert.equal(ledger.code_of(154).name, 'payload_invalid');
  assert.equal(ledger.code_of(9999).name, 'unknown');
});
