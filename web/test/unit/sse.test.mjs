import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const {read_stream, StreamError} = await load('sse.ts');

const chunk = (choices, more) => `data: ${JSON.stringify({id: 'c', choices, ...more})}\n\n`;
const text = (content) => chunk([{index: 0, delta: {content}, finish_reason: null}]);
const finish = (reason = 'stop') => chunk([{index: 0, delta: {}, finish_reason: reason}]);
const usage = chunk([], {usage: {prompt_tokens: 3, completion_tokens: 2, total_tokens: 5}});
const done = 'data: [DONE]\n\n';
const role = chunk([{index: 0, delta: {role: 'assistant', content: ''}, finish_reason: null}]);
const kGood = `: ping\n\n${role}${text('Grü')}${text('ße 🛡')}${finish()}${usage}${done}`;

async function read(...pieces) {
  const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
  const parts = [];
  for await (const part of read_stream(
    (async function* () {
      yield* bytes;
    })(),
  ))
    parts.push(part);
  return parts;
}
const words = (parts) =>
  parts
    .filter(({kind}) => kind === 'text')
    .map((part) => part.text)
    .join('');

async function code_of(...pieces) {
  try {
    await read(...pieces);
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error));
    return error.code;
  }
  return 'accepted';
}

test('a complete stream gives text, finish and usage in order', async () => {
  const parts = await read(kGood);
  assert.equal(words(parts), 'Grüße 🛡');
  assert.deepEqual(parts.slice(-2), [
    {kind: 'finish', reason: 'stop'},
    {kind: 'usage', prompt_tokens: 3, completion_tokens: 2},
  ]);
});

test('the bytes may be split anywhere, and lines may end in CRLF', async () => {
  const whole = Buffer.from(kGood);
  for (let at = 0; at <= whole.length; at++) {
    assert.equal(words(await read(whole.subarray(0, at), whole.subarray(at))), 'Grüße 🛡');
  }
  const single = [...whole].map((byte) => Buffer.from([byte]));
  assert.equal(words(await read(...single)), 'Grüße 🛡');
  assert.equal(words(await read(kGood.replaceAll('\n', '\r\n'))), 'Grüße 🛡');
});

test('a stream cut at any byte is an error, never a shorter answer', async () => {
  const whole = Buffer.from(kGood);
  for (let at = 0; at < whole.length; at++) {
    assert.notEqual(await code_of(whole.subarray(0, at)), 'accepted', `cut at ${at}`);
  }
});

test('reasoning is kept apart from the answer', async () => {
  const thought = chunk([{index: 0, delta: {reasoning_content: 'hm'}, finish_reason: null}]);
  const parts = await read(role + thought + text('yes') + finish() + done);
  assert.deepEqual(parts.slice(0, 2), [
    {kind: 'reasoning', text: 'hm'},
    {kind: 'text', text: 'yes'},
  ]);
});

test('an error frame keeps the code of the gateway', async () => {
  const frame = (error) => `data: ${JSON.stringify({error})}\n\n`;
  const lost = {message: 'gone', type: 'server_error', param: null, code: 'node_lost'};
  assert.equal(await code_of(role + text('a') + frame(lost)), 'node_lost');
  assert.equal(await code_of(`event: error\n${frame(lost)}`), 'node_lost');
  assert.equal(await code_of(frame({...lost, code: null})), 'server_error');
  assert.equal(await code_of(frame('no object')), 'server_error');
  assert.equal(await code_of(kGood.replace(done, frame(lost))), 'node_lost');
  assert.equal(await code_of('event: error\ndata: {}\n\n'), 'server_error');
});

test('each single fault in a good stream is refused by its own code', async () => {
  const cases = {
    'no [DONE]': [role + text('a') + finish(), 'stream_cut'],
    'no finish_reason': [role + text('a') + done, 'stream_malformed'],
    'nothing at all': ['', 'stream_cut'],
    'only pings': [': ping\n\n: ping\n\n', 'stream_cut'],
    'no blank line after [DONE]': [text('a') + finish() + 'data: [DONE]\n', 'stream_cut'],
    'text after finish_reason': [finish() + text('a') + done, 'stream_malformed'],
    'two finish_reasons': [finish() + finish() + done, 'stream_malformed'],
    'data after [DONE]': [kGood + text('a'), 'stream_malformed'],
    'two [DONE]': [kGood + done, 'stream_malformed'],
    'unknown finish_reason': [finish('tool_call') + done, 'stream_malformed'],
    'finish_reason is a number': [finish(1) + done, 'stream_malformed'],
    'usage before finish_reason': [usage + finish() + done, 'stream_malformed'],
    'usage twice': [finish() + usage + usage + done, 'stream_malformed'],
    'empty chunk without usage': [finish() + chunk([]) + done, 'stream_malformed'],
    'negative usage': [
      finish() + chunk([], {usage: {prompt_tokens: -1, completion_tokens: 0}}) + done,
      'stream_malformed',
    ],
    'another choice': [
      chunk([{index: 1, delta: {content: 'a'}}]) + finish() + done,
      'stream_malformed',
    ],
    'choices missing': ['data: {}\n\n', 'stream_malformed'],
    'choice is no object': [chunk(['x']), 'stream_malformed'],
    'delta is a list': [chunk([{index: 0, delta: []}]), 'stream_malformed'],
    'content is a number': [chunk([{index: 0, delta: {content: 1}}]), 'stream_malformed'],
    'broken JSON': ['data: {"choices":[\n\n', 'stream_malformed'],
    'JSON is a list': ['data: []\n\n', 'stream_malformed'],
    'unknown event': [`event: receipt\ndata: {}\n\n${kGood}`, 'stream_malformed'],
    'unknown field': [`hello\n\n${kGood}`, 'stream_malformed'],
    'HTML instead of a stream': ['<html></html>\n', 'stream_malformed'],
    'a line without end': [`data: ${'x'.repeat((1 << 20) + 1)}`, 'stream_too_long'],
  };
  for (const [name, [stream, want]] of Object.entries(cases)) {
    assert.equal(await code_of(stream), want, name);
  }
  assert.equal(await code_of(Buffer.from([0x64, 0xff, 0x0a])), 'stream_malformed', 'not UTF-8');
});

test('an answer without end is stopped', async () => {
  const much = text('x'.repeat(1 << 19));
  assert.equal(await code_of(...Array(9).fill(much)), 'stream_too_long');
});
