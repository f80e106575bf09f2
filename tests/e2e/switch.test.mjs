// Nodes die. A user notices before the first token: nothing. After it: an error that says so.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {Place, start_network} from './lib/program.mjs';

const kTimeoutMs = 180_000;
let place;
let network;

before(async () => {
  place = new Place();
  network = await start_network(place, ['--nodes', '3']);
});
after(() => place.remove());

async function ask(content, more = {}) {
  const model = (await (await network.call('/v1/models')).json()).data[0].id;
  const messages = [{role: 'user', content}];
  return network.call('/v1/chat/completions', {model, messages, max_tokens: 16, ...more});
}

// The node whose session the gateway uses next: first its endpoint, then who listens there.
async function next_node() {
  const {trust} = await (await network.call('/v1/attestation/report')).json();
  const escaped = trust.instance.endpoint.replaceAll('.', '\\.');
  const line = network.text.err.match(new RegExp(`^== (node-\\d) verified .*, ${escaped}$`, 'm'));
  assert.ok(line, `no node listens at ${trust.instance.endpoint}`);
  const pid = network.daemons()[line[1]];
  assert.ok(pid, `${line[1]} does not run`);
  return {name: line[1], pid, endpoint: trust.instance.endpoint};
}

async function reported(name) {
  const deadline = Date.now() + kTimeoutMs;
  while (!network.text.err.includes(`== ${name} ended with 137`)) {
    assert.ok(Date.now() < deadline, `up does not report that ${name} died`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function events_of(response) {
  const text = await response.text();
  return text
    .split('\n\n')
    .flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []));
}

test('a node that dies while its session waits is replaced before the first token', async () => {
  const victim = await next_node();
  process.kill(victim.pid, 'SIGKILL');
  const answers = await Promise.all(
    ['Say hello.', 'Say goodbye.', 'Say yes.', 'Say no.', 'Say sea.'].map((words) => ask(words)),
  );
  for (const response of answers) {
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    assert.notEqual(body.choices[0].message.content, '');
    const id = response.headers.get('x-cloister-receipt-id');
    const {trust} = await (await network.call(`/v1/receipts/${id}`)).json();
    assert.equal(trust.level, 'development');
    assert.notEqual(trust.instance.endpoint, victim.endpoint);
  }
  await reported(victim.name);
});

test('a node that dies in the middle of an answer ends the stream with an error', async () => {
  const victim = await next_node();
  const story = 'Write a very long story about the sea, with many details.';
  const response = await ask(story, {max_tokens: 500, stream: true});
  assert.equal(response.status, 200);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let killed = false;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    text += decoder.decode(value, {stream: true});
    if (!killed && /"content":"[^"]/.test(text)) {
      process.kill(victim.pid, 'SIGKILL');
      killed = true;
    }
  }
  assert.ok(killed, 'the answer began');
  const events = await events_of(new Response(text));
  assert.equal(events.at(-1), '[DONE]');
  const {error} = JSON.parse(events.at(-2));
  assert.ok(error, `no error, but ${events.at(-2)}`);
  assert.equal(error.code, 'node_lost');
  assert.ok(
    !events.some((event) => event.includes('"finish_reason":"')),
    'it does not look finished',
  );
  await reported(victim.name);
});

// By now the gateway may hold more sessions with the dead than it has attempts for one request.
test('the last node answers on', async () => {
  const response = await ask('Say hello.');
  assert.equal(response.status, 200, await response.clone().text());
});

test('Ctrl-C ends what is left', async () => {
  const {code, err} = await network.stop();
  assert.equal(code, 0, err);
  assert.deepEqual(place.left_over(), []);
});
