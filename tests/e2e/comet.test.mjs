// The main job on four CometBFT validators: it answers, also with one of them gone.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {Place, run, start_network} from './lib/program.mjs';

const kTimeoutMs = 180_000;
const kRefused = 1;
let place;
let network;

before(async () => {
  place = new Place();
  network = await start_network(place, ['--engine', 'comet', '--validators', '4', '--nodes', '2']);
});
after(() => place.remove());

// Answered, and the trust report of the answer holds.
async function ask(content) {
  const model = (await (await network.call('/v1/models')).json()).data[0].id;
  const messages = [{role: 'user', content}];
  const response = await network.call('/v1/chat/completions', {model, messages, max_tokens: 8});
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.notEqual(body.choices[0].message.content, '');
  const id = response.headers.get('x-cloister-receipt-id');
  const {trust} = await (await network.call(`/v1/receipts/${id}`)).json();
  assert.equal(trust.level, 'development');
  return trust;
}

async function height() {
  const {out, code, err} = await run(place, ['light', 'verify', '--json'], {
    timeout_ms: kTimeoutMs,
  });
  assert.equal(code, 0, err);
  return JSON.parse(out).height;
}

async function until(what, condition) {
  const deadline = Date.now() + kTimeoutMs;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not in time: ${what}\n${network.text.err}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const said = (text) => until(text, () => network.text.err.includes(text));

test('four validators order the blocks of the main job', async () => {
  assert.match(network.text.err, /ledger of 4 validators under CometBFT/);
  const names = Object.keys(network.daemons());
  for (const i of [1, 2, 3, 4]) assert.ok(names.includes(`validator-${i}`), names.join());
  await ask('Say hello.');
});

test('with one validator killed it goes on', async () => {
  const before_height = await height();
  process.kill(network.daemons()['validator-3'], 'SIGKILL');
  await said('== validator-3 ended with 137');
  // More than there are sessions that stood ready: new ones are drawn and settled meanwhile.
  for (const word of ['one', 'two', 'three', 'four', 'five']) await ask(`Say ${word}.`);
  await until('more blocks', async () => (await height()) > before_height + 3);
});

test('with two killed there is no majority, and it says so', async () => {
  process.kill(network.daemons()['validator-2'], 'SIGKILL');
  const {code, err} = await network.ended;
  assert.equal(code, kRefused);
  assert.match(err, /too few validators are left/);
  assert.deepEqual(place.left_over(), []);
});
