// `cloister up --once`: one command from nothing to an answer, whose receipt is verified offline.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {Place, run} from './lib/program.mjs';
import {assert_development_report} from './lib/trust.mjs';

let place;
let once;
let answer;

before(async () => {
  place = new Place();
  const words = ['up', '--once', 'What is the capital of France?', '--json'];
  once = await run(place, words, {timeout_ms: 300_000});
  assert.equal(once.code, 0, once.err);
  answer = JSON.parse(once.out);
});
after(() => place.remove());

function file(name, value) {
  const path = join(place.folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const verify = (path, ...more) => run(place, ['verify-receipt', path, '--json', ...more]);

// The bundle with one character of the text at `path` changed, `offset` of its length in.
function spoiled(path, offset = 0.5) {
  const bundle = structuredClone(answer.receipt);
  const parent = path.slice(0, -1).reduce((value, step) => value[step], bundle);
  const text = parent[path.at(-1)];
  assert.equal(typeof text, 'string', path.join('.'));
  const at = Math.floor((text.length - 1) * offset);
  const other = text[at] === '1' ? '2' : '1'; // a digit of hex, base64 and decimals alike
  parent[path.at(-1)] = text.slice(0, at) + other + text.slice(at + 1);
  return bundle;
}

test('stdout is one JSON object with answer, receipt, trust and timings', () => {
  assert.deepEqual(Object.keys(answer).sort(), ['answer', 'receipt', 'timings', 'trust']);
  assert.notEqual(answer.answer.trim(), '');
  assert.equal(once.out.trimEnd().split('\n').length, 1);
  assert_development_report(answer.trust);
  assert.deepEqual(answer.trust.channel, {mode: 'atls', kem: 'X-Wing', padding: 'default'});
  for (const time of ['start_up_ms', 'answer_ms']) assert.ok(answer.timings[time] > 0, time);
});

test('nothing remains: no process and no file', () => {
  assert.deepEqual(place.left_over(), []);
  assert.deepEqual(readdirSync(place.work), []);
  assert.deepEqual(readdirSync(place.data), []);
});

test('the receipt verifies offline, alone and inside what was printed', async () => {
  const genesis = file('genesis.json', answer.receipt.genesis);
  for (const path of [file('receipt.json', answer.receipt), file('whole.json', once.out)]) {
    const {code, out, err} = await verify(path, '--genesis', genesis);
    assert.equal(code, 0, err);
    assert_development_report(JSON.parse(out));
  }
});

test('the receipt names the answer: its salted hash is what the node signed', () => {
  const {receipt, answer_salt} = answer.receipt;
  const hash = (salt) =>
    createHash('sha256')
      .update('cloister answer v1\0')
      .update(Buffer.from(salt, 'hex'))
      .update(answer.answer)
      .digest();
  const signed = Buffer.from(receipt, 'base64');
  assert.ok(signed.includes(hash(answer_salt)));
  assert.ok(!signed.includes(hash(spoiled(['answer_salt']).answer_salt)));
});

test('one changed character is refused, wherever it counts', async () => {
  const genesis = file('genesis.json', answer.receipt.genesis);
  const {code: whole} = await verify(file('receipt.json', answer.receipt), '--genesis', genesis);
  assert.equal(whole, 0, 'the unchanged receipt is accepted');
  const {reads, blocks} = answer.receipt;
  const read_of = (family) => reads.findIndex((read) => read.family === family);
  const cases = [
    [['evidence', 0, 'bytes'], 0.1],
    [['evidence', 0, 'bytes'], 0.2],
    [['evidence', 0, 'bytes'], 0.4],
    [['receipt'], 0.3], // the receipt's content
    [['receipt'], 0.6],
    [['receipt'], 0.95], // its signature
    [['claims'], 0.5],
    [['channel', 'bind'], 0.5],
    [['channel', 'spki_sha256'], 0.5],
    [['channel', 'request_sha256'], 0.5],
    [['sealing', 'key_config_sha256'], 0.5],
    ...['instances', 'sessions', 'policy', 'models', 'collateral', 'keys'].flatMap((family) => [
      [['reads', read_of(family), 'value'], 0.5],
      [['reads', read_of(family), 'proof', 0, 'data'], 0.5],
    ]),
    ...blocks.flatMap((_, i) => [
      [['blocks', i, 'signed_header', 'header', 'app_hash'], 0.5],
      [['blocks', i, 'signed_header', 'commit', 'signatures', 0, 'signature'], 0.5],
    ]),
    [['genesis', 'chain_id'], 1],
    [['genesis', 'validators', 0, 'public_key'], 0.5],
    [['genesis', 'models', 0, 'root'], 0.5],
    [['genesis', 'development_intel', 0], 0.5],
    [['genesis', 'development_amd', 0], 0.5],
  ];
  for (const [path, offset] of cases) {
    const {code} = await verify(file('spoiled.json', spoiled(path, offset)), '--genesis', genesis);
    assert.ok(code === 1 || code === 2, `${path.join('.')} at ${offset}: exit ${code}`);
  }
});

test('what is missing is refused', async () => {
  const cut = (change) => {
    const bundle = structuredClone(answer.receipt);
    change(bundle);
    return file('cut.json', bundle);
  };
  const cases = [
    (bundle) => bundle.reads.pop(),
    (bundle) => bundle.blocks.pop(),
    (bundle) => bundle.evidence.pop(),
    (bundle) => (bundle.receipt = null),
    (bundle) => delete bundle.channel,
    (bundle) => delete bundle.sealing,
    (bundle) => (bundle.version = 2),
  ];
  for (const change of cases) {
    const {code} = await verify(cut(change));
    assert.ok(code === 1 || code === 2, `${change}: exit ${code}`);
  }
  const text = JSON.stringify(answer.receipt);
  const {code, err} = await verify(file('short.json', text.slice(0, text.length / 2)));
  assert.equal(code, 2);
  assert.match(err, /short\.json: the file is not strict JSON/);
});

test('an answer of another network is refused when its genesis is pinned', async () => {
  const other = structuredClone(answer.receipt.genesis);
  other.time_ms += 1;
  const path = file('receipt.json', answer.receipt);
  const {code, out} = await verify(path, '--genesis', file('other.json', other));
  assert.equal(code, 1);
  const report = JSON.parse(out);
  assert.equal(report.level, 'failed');
  assert.equal(report.checks.find(({ok}) => !ok).name, 'ledger_quorum');
});
