// What a user writes and reads is nowhere afterwards: not in a file, a log, an error, a process's
// words or its memory. Exempt is only the prompt of `up --once`, which its user puts among the words
// of `up` itself; this network is asked through the API alone.
import assert from 'node:assert/strict';
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {Canary, scan_files, scan_memory} from './lib/leaks.mjs';
import {Place, processes, start_network} from './lib/program.mjs';

const kTimeoutMs = 180_000;
const canary = new Canary();
const seen = []; // what the gateway said that is no answer: it must be free of the canary
let place;
let network;
let model;

before(async () => {
  place = new Place();
  network = await start_network(place, ['--nodes', '1', '--log-level', 'debug']);
  model = (await (await call('GET', '/v1/models')).json()).data[0].id;
});
after(() => place.remove());

function call(method, path, body, headers = {}) {
  return fetch(network.origin + path, {
    method,
    headers: {
      authorization: `Bearer ${network.token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(kTimeoutMs),
  });
}

const chat = (more = {}) => ({
  model,
  messages: [{role: 'user', content: `Repeat this word: ${canary.text}`}],
  max_tokens: 48,
  temperature: 0,
  ...more,
});

async function refused(status, method, path, body, headers) {
  const response = await call(method, path, body, headers);
  const text = await response.text();
  assert.equal(response.status, status, `${method} ${path.slice(0, 30)}: ${text}`);
  seen.push(text, ...[...response.headers].flat());
}

test('the search finds a planted canary, whole, cut or encoded', () => {
  const path = join(network.folder, 'planted');
  const bytes = Buffer.from(canary.text);
  const forms = [
    `before ${canary.text} after`,
    canary.text.slice(11, 21),
    bytes.toString('hex'),
    Buffer.from(`a${canary.text}b`).toString('base64'),
    Buffer.from(canary.text, 'utf16le'),
  ];
  for (const form of forms) {
    writeFileSync(path, form);
    assert.deepEqual(scan_files(canary, place.folder).hits, [path], String(form));
  }
  rmSync(path);
  assert.deepEqual(scan_files(canary, place.folder).hits, []);
});

test('answers are given, whole, streamed and cut off', async () => {
  for (let i = 0; i < 3; ++i) {
    const response = await call('POST', '/v1/chat/completions', chat());
    const body = await response.json();
    assert.equal(response.status, 200);
    assert.notEqual(body.choices[0].message.content, '');
    seen.push(...[...response.headers].flat());
    const id = response.headers.get('x-cloister-receipt-id');
    seen.push(await (await call('GET', `/v1/receipts/${id}`)).text());
  }
  const streamed = await call('POST', '/v1/chat/completions', chat({stream: true}));
  assert.match(await streamed.text(), /\[DONE\]/);
  for (let i = 0; i < 2; ++i) {
    const content = `Write a very long story about ${canary.text}.`;
    const body = chat({messages: [{role: 'user', content}], stream: true, max_tokens: 400});
    const cut = await call('POST', '/v1/chat/completions', body);
    const reader = cut.body.getReader();
    await reader.read();
    await reader.cancel();
  }
});

test('each refusal is free of what was asked', async () => {
  const path = '/v1/chat/completions';
  const word = canary.text;
  await refused(404, 'POST', path, chat({model: 'none-such'}));
  await refused(404, 'POST', path, chat({model: word}));
  await refused(400, 'POST', path, JSON.stringify(chat()).slice(0, -9)); // cut JSON
  await refused(400, 'POST', path, `{"messages": "${word}\\x"}`);
  await refused(400, 'POST', path, `${word}`);
  await refused(400, 'POST', path, chat({messages: [{role: word, content: 'x'}]}));
  await refused(400, 'POST', path, chat({messages: [{role: 'user', content: {[word]: word}}]}));
  await refused(400, 'POST', path, chat({temperature: word}));
  await refused(400, 'POST', path, chat({stop: [word, word, word, word, word]}));
  await refused(400, 'POST', path, chat({tools: [{type: 'function', function: {name: word}}]}));
  await refused(400, 'POST', path, chat({response_format: {type: word}}));
  const long = `${word} `.repeat(4000);
  await refused(400, 'POST', path, chat({messages: [{role: 'user', content: long}]}));
  await refused(401, 'POST', path, chat(), {authorization: `Bearer ${word}`});
  await refused(403, 'POST', path, chat(), {origin: `http://${word}.example`});
  await refused(404, 'GET', `/v1/models/${word}`);
  await refused(404, 'GET', `/v1/receipts/${word}`);
  await refused(404, 'GET', `/${word}?${word}=${word}`);
  await refused(404, 'POST', '/v1/embeddings', {model, input: word});
});

test('what is too large, or no HTTP, is refused without a quote', async () => {
  const large = `{"messages":"${`${canary.text} `.repeat(60_000)}"}`; // 2 MB
  try {
    const response = await call('POST', '/v1/chat/completions', large);
    assert.ok(response.status >= 400, `status ${response.status}`);
    seen.push(await response.text());
  } catch (error) {
    assert.ok(!canary.in(String(error.cause ?? error)), 'the connection was closed, with reason');
  }
  seen.push(await raw(`${canary.text} / HTTP/9.9\r\nhost: 127.0.0.1\r\n${canary.text}\r\n\r\n`));
  seen.push(
    await raw(`POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -${canary.text}\r\n\r\n`),
  );
});

function raw(text) {
  const {hostname, port} = new URL(network.origin);
  return new Promise((resolve, reject) => {
    let out = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(kTimeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (more) => (out += more));
    socket.on('close', () => resolve(out));
    socket.on('error', (error) => (error.code === 'ECONNRESET' ? resolve(out) : reject(error)));
  });
}

test('nothing that the gateway tells of itself holds the canary', async () => {
  for (const path of ['/health', '/livez', '/readyz', '/v1/models', '/v1/attestation/report'])
    seen.push(await (await call('GET', path)).text());
  assert.ok(seen.length > 60, `${seen.length} texts were gathered`);
  const hits = seen.filter((text) => canary.in(text));
  assert.deepEqual(hits, []);
});

test('no process has it among its words or in its environment', () => {
  const ours = processes().filter(({pid, parent}) => [pid, parent].includes(network.child.pid));
  assert.equal(ours.length, 6, 'up, ledger, blobs, node, gateway and page');
  const hits = ours.filter(({cmdline, environ}) => canary.in(cmdline) || canary.in(environ));
  assert.deepEqual(hits, []);
});

test('five seconds after the last byte no process has it in its memory', async (t) => {
  assert.ok(scan_memory(canary, process.pid) > 0, 'the search finds it here');
  const daemons = {up: network.child.pid, ...network.daemons()};
  const deadline = Date.now() + 5_000;
  for (const [name, pid] of Object.entries(daemons)) {
    let hits = scan_memory(canary, pid);
    if (hits === undefined) return t.skip('this user may not read the memory of daemons');
    while (hits > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      hits = scan_memory(canary, pid);
    }
    assert.equal(hits, 0, `${name} holds it`);
  }
});

test('after a crash and after the end no file and no output holds it', async () => {
  const {gateway} = network.daemons();
  process.kill(gateway, 'SIGABRT'); // with a gateway in its arms `up` ends, and says why
  const {code, out, err} = await network.ended;
  assert.equal(code, 1);
  assert.match(err, /gateway ended with 134/);
  assert.deepEqual(place.left_over(), []);
  assert.ok(!canary.in(out) && !canary.in(err), 'the output of up');
  const {hits, read} = scan_files(canary, place.folder);
  assert.deepEqual(hits, []);
  assert.ok(read > 10, `${read} files were read`);
  assert.ok(existsSync(network.folder));
});
