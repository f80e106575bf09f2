// The official client package of the API that the gateway speaks, unmodified.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import OpenAI from 'openai';

import {get, network} from './lib/shared.mjs';
import {assert_development_report} from './lib/trust.mjs';

const client = new OpenAI({baseURL: network.api, apiKey: network.token, timeout: 180_000});
const messages = [{role: 'user', content: 'What is the capital of France? One sentence.'}];
const model = (await client.models.list()).data[0].id;

async function refusal(body, of = client) {
  const error = await of.chat.completions.create(body).then(
    () => assert.fail('it was answered'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof OpenAI.APIError, String(error));
  for (const member of ['message', 'type', 'param', 'code'])
    assert.ok(member in error.error, `the error has no ${member}`);
  return error;
}

test('models are listed and found by name', async () => {
  const found = await client.models.retrieve(model);
  assert.equal(found.id, model);
  assert.equal(found.is_tee, false, 'a simulated TEE is none');
  assert.equal(found.level, 'development: no hardware protection');
  await assert.rejects(client.models.retrieve('none-such'), {status: 404, code: 'model_not_found'});
});

test('an answer at once has text, usage and a receipt', async () => {
  const {data, response} = await client.chat.completions
    .create({model, messages, max_tokens: 24, temperature: 0})
    .withResponse();
  const [choice] = data.choices;
  assert.equal(choice.message.role, 'assistant');
  assert.notEqual(choice.message.content.trim(), '');
  assert.ok(['stop', 'length'].includes(choice.finish_reason));
  assert.ok(data.usage.prompt_tokens > 0 && data.usage.completion_tokens > 0);
  assert.ok(data.usage.completion_tokens <= 24);
  const id = response.headers.get('x-cloister-receipt-id');
  const kept = await get(`/v1/receipts/${id}`);
  assert.equal(kept.id, id);
  assert_development_report(kept.trust);
});

test('a stream brings text, then why it ended, then usage', async () => {
  const {data: stream, response} = await client.chat.completions
    .create({
      model,
      messages,
      max_tokens: 24,
      temperature: 0,
      stream: true,
      stream_options: {include_usage: true},
    })
    .withResponse();
  let text = '';
  const ends = [];
  const usages = [];
  const ids = new Set();
  for await (const chunk of stream) {
    ids.add(chunk.id);
    if (chunk.usage) usages.push(chunk);
    for (const choice of chunk.choices) {
      text += choice.delta.content ?? '';
      if (choice.finish_reason) ends.push(choice.finish_reason);
    }
  }
  assert.notEqual(text.trim(), '');
  assert.equal(ends.length, 1);
  assert.ok(['stop', 'length'].includes(ends[0]));
  assert.equal(ids.size, 1);
  assert.equal(usages.length, 1, 'usage comes once');
  assert.deepEqual(usages[0].choices, []);
  assert.ok(usages[0].usage.completion_tokens > 0);
  const kept = await get(`/v1/receipts/${response.headers.get('x-cloister-receipt-id')}`);
  assert_development_report(kept.trust);
});

test("the client's own collector of a stream takes it, and no usage comes unasked", async () => {
  const stream = client.chat.completions.stream({model, messages, max_tokens: 8});
  const whole = await stream.finalChatCompletion();
  assert.equal(whole.choices[0].message.role, 'assistant');
  assert.equal(whole.usage, undefined);
});

test('after a stream that was cut off by the client the next request is answered', async () => {
  const stream = await client.chat.completions.create({
    model,
    messages: [{role: 'user', content: 'Write a very long story about the sea.'}],
    max_tokens: 400,
    stream: true,
  });
  let seen = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content && ++seen === 3) stream.controller.abort();
  }
  assert.ok(seen >= 3);
  const next = await client.chat.completions.create({model, messages, max_tokens: 8});
  assert.notEqual(next.choices[0].message.content, '');
});

test('what cannot be done is refused by its code', async () => {
  const unknown = await refusal({model: 'none-such', messages});
  assert.deepEqual([unknown.status, unknown.code], [404, 'model_not_found']);
  assert.equal(unknown.type, 'invalid_request_error');

  const tools = [{type: 'function', function: {name: 'f', parameters: {type: 'object'}}}];
  const with_tools = await refusal({model, messages, tools});
  assert.deepEqual(
    [with_tools.status, with_tools.code, with_tools.param],
    [400, 'unsupported_parameter', 'tools'],
  );
  const two = await refusal({model, messages, n: 2});
  assert.deepEqual([two.status, two.code, two.param], [400, 'unsupported_parameter', 'n']);

  const hot = await refusal({model, messages, temperature: 99});
  assert.deepEqual([hot.status, hot.param], [400, 'temperature']);

  const long = 'word '.repeat(12_000);
  const too_long = await refusal({model, messages: [{role: 'user', content: long}]});
  assert.deepEqual([too_long.status, too_long.code], [400, 'context_length_exceeded']);

  const stranger = new OpenAI({baseURL: network.api, apiKey: 'f'.repeat(64)});
  const denied = await refusal({model, messages}, stranger);
  assert.deepEqual([denied.status, denied.code], [401, 'invalid_api_key']);
});

test('a stream that is refused before it starts keeps its status', async () => {
  const error = await refusal({model: 'none-such', messages, stream: true});
  assert.deepEqual([error.status, error.code], [404, 'model_not_found']);
});

test('an endpoint that is not there says so', async () => {
  await assert.rejects(client.embeddings.create({model, input: 'x'}), {
    status: 404,
    code: 'unsupported_endpoint',
  });
});
