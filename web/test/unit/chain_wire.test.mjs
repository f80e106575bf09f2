import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const wire = await load('../chain/wire/messages.ts');
const {FrameReader, WireError, encode_request} = wire;

const hex = (text) => text.replace(/\s/g, '');
const bytes_of = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const hex_of = (bytes) => Buffer.from(bytes).toString('hex');

// As the nodes' own code writes them.
const kGiven = {
  request: hex(`
    a50182a201010278225768617420697320746865206361706974616c206f66204672616e63653f20e282aca20102
    0265506172697302a5011a000f4240021828031a000f424004000558200404040404040404040404040404040404
    0404040404040404040404040404040318400481620a0a0558200909090909090909090909090909090909090909
    090909090909090909090909
  `),
  request_hash: '14592b3907b0626e1eb4c234b2defc1104e94fde26b069bae33d42c344671d7d',
  answer_hash: '89ec87bc9c2fdf59ddd8337fe60d64d20429f9ec479e0fc14c883df15fcb0694',
  frame_text: '0000000aa2010102655061726973',
  frame_done: hex(`
    00000075a701020202030c0418220543010203065840060606060606060606060606060606060606060606060606
    06060606060606060606060606060606060606060606060606060606060606060606060606060606075820050505
    0505050505050505050505050505050505050505050505050505050505
  `),
  frame_failed: '00000005a20103020b',
};

const request = (changes = {}, sampler = {}) => ({
  messages: [
    {role: 'user', content: 'What is the capital of France? \u20ac'},
    {role: 'assistant', content: 'Paris'},
  ],
  sampler: {
    temperature_micro: 1_000_000,
    top_k: 40,
    top_p_micro: 1_000_000,
    min_p_micro: 0,
    seed: new Uint8Array(32).fill(4),
    ...sampler,
  },
  max_tokens: 64,
  stops: ['\n\n'],
  salt: new Uint8Array(32).fill(9),
  ...changes,
});

const kFrames = [
  {kind: 'text', text: 'Paris'},
  {
    kind: 'done',
    finish: 'length',
    prompt_tokens: 12,
    completion_tokens: 34,
    receipt: Uint8Array.of(1, 2, 3),
    signature: new Uint8Array(64).fill(6),
    answer_salt: new Uint8Array(32).fill(5),
  },
  {kind: 'failed', refusal: 'busy'},
];
const kStream = bytes_of(kGiven.frame_text + kGiven.frame_done + kGiven.frame_failed);

test('a request and its hashes are those of the nodes', async () => {
  const {salt} = request();
  assert.equal(hex_of(encode_request(request())), kGiven.request);
  const hash = await wire.request_hash(bytes_of(kGiven.request), salt);
  assert.equal(hex_of(hash), kGiven.request_hash);
  assert.equal(hex_of(await wire.answer_hash('Paris', salt)), kGiven.answer_hash);
});

test('a request out of the bounds of the nodes is not written', () => {
  const message = (content) => ({role: 'user', content});
  const wrong = [
    request({messages: []}),
    request({messages: Array(1025).fill(message('x'))}),
    request({messages: [message('x'.repeat((1 << 20) + 1))]}),
    request({messages: [message('\ud800')]}),
    request({messages: [{role: 'tool', content: 'x'}]}),
    request({max_tokens: -1}),
    request({max_tokens: 1.5}),
    request({max_tokens: (1 << 20) + 1}),
    request({stops: Array(5).fill('x')}),
    request({stops: ['']}),
    request({stops: ['x'.repeat(257)]}),
    request({salt: new Uint8Array(31)}),
    request({}, {temperature_micro: 999}),
    request({}, {temperature_micro: 2_000_001}),
    request({}, {top_k: 1025}),
    request({}, {top_p_micro: 0}),
    request({}, {top_p_micro: 1_000_001}),
    request({}, {min_p_micro: 1_000_001}),
    request({}, {seed: new Uint8Array(33)}),
  ];
  for (const each of wrong) assert.throws(() => encode_request(each));
  encode_request(request({messages: [message('x'.repeat(1 << 20))], max_tokens: 0, stops: []}));
});

test('frames are read wherever the stream is cut', () => {
  for (let cut = 0; cut <= kStream.length; ++cut) {
    const reader = new FrameReader();
    const got = [...reader.feed(kStream.slice(0, cut)), ...reader.feed(kStream.slice(cut))];
    assert.deepEqual(got, kFrames);
    assert.equal(reader.empty, true);
  }
  const reader = new FrameReader();
  const got = [...kStream].flatMap((byte) => reader.feed(Uint8Array.of(byte)));
  assert.deepEqual(got, kFrames);
});

test('a stream that ends inside a frame is not empty', () => {
  const whole = bytes_of(kGiven.frame_done);
  for (let n = 1; n < whole.length; ++n) {
    const reader = new FrameReader();
    assert.deepEqual(reader.feed(whole.slice(0, n)), []);
    assert.equal(reader.empty, false);
  }
});

test('a frame of the largest size is read and a larger one refused at its length', () => {
  const text = 'x'.repeat(wire.kMaxFrameBytes - 7); // a2 01 01 02 79 and two bytes of length
  const head = bytes_of('00010000' + 'a201010279' + text.length.toString(16));
  const frame = Uint8Array.of(...head, ...new TextEncoder().encode(text));
  assert.equal(frame.length, 4 + wire.kMaxFrameBytes);
  assert.deepEqual(new FrameReader().feed(frame), [{kind: 'text', text}]);
  assert.throws(() => new FrameReader().feed(bytes_of('00010001')), WireError);
  assert.throws(() => new FrameReader().feed(bytes_of('ffffffff')), WireError);
});

test('a broken stream stays broken', () => {
  const done = kGiven.frame_done.slice(8);
  const bodies = [
    'ff', // not CBOR
    '', // empty
    'a201030200', // refusal 0
    'a2010302' + '1863', // unknown refusal
    'a2010302' + '12', // one past the last
    'a201090200', // unknown kind
    'a201010261' + 'ff', // not UTF-8
    'a20101026161' + '00', // a byte left over
    'a2010102' + '780161', // a length not in its shortest form
    'a2020102' + '6161', // the wrong key
    'a301010261610300', // a third member
    'a10101', // a member missing
    done.replace('a7', 'a6'),
    done.replace('a701020202', 'a701020200'), // finish 0
    done.replace('a701020202', 'a701020204'), // finish 4
    done.replace('030c', '031b0000000100000000'), // a count of 33 bits
    done.slice(0, -2),
    done + '00',
    'a20102026161', // a text that says it is the end
  ];
  for (const body of bodies) {
    const size = (body.length / 2).toString(16).padStart(8, '0');
    const reader = new FrameReader();
    assert.throws(() => reader.feed(bytes_of(size + body)), WireError, body);
    assert.throws(() => reader.feed(bytes_of(kGiven.frame_text)), WireError, body);
  }
});

test('a receipt past its bound is refused', () => {
  const done = kGiven.frame_done.slice(8);
  const longer = (size) => {
    const receipt = '59' + size.toString(16).padStart(4, '0') + '00'.repeat(size);
    const body = done.replace('0543010203', `05${receipt}`);
    return bytes_of((body.length / 2).toString(16).padStart(8, '0') + body);
  };
  assert.equal(new FrameReader().feed(longer(4096))[0].receipt.length, 4096);
  assert.throws(() => new FrameReader().feed(longer(4097)), WireError);
});

test('refusals have names and sentences', () => {
  const names = [];
  for (let number = 1; number <= 16; ++number) {
    const [frame] = new FrameReader().feed(Uint8Array.of(0, 0, 0, 5, 0xa2, 1, 3, 2, number));
    names.push(frame.refusal);
    assert.notEqual(wire.describe_refusal(frame.refusal), '');
  }
  assert.equal(new Set(names).size, 16);
  assert.equal(names[0], 'malformed');
  assert.equal(names[10], 'busy');
  assert.equal(names[15], 'draining');
});
