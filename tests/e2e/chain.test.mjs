// The on-chain mode: prompts and answers as jobs of the ledger, a large document by reference, and a
// node that dies with a job in its hands.
import assert from 'node:assert/strict';
import {closeSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {Place, run, start_network} from './lib/program.mjs';
import {assert_development_report} from './lib/trust.mjs';

const kTimeoutMs = 300_000;
const kRefused = 1;
const kDocumentBytes = 50_000_000;
const kMissed = 'the node gave no result; the ledger refunded the job';
let place;
let network;

before(async () => {
  place = new Place();
  network = await start_network(place, ['--nodes', '2', '--job-blocks', '20']);
});
after(() => place.remove());

async function ask(words, more = []) {
  const result = await run(place, ['ask', words, '--mode', 'chain', '--json', ...more], {
    timeout_ms: kTimeoutMs,
  });
  assert.equal(result.code, 0, result.err);
  const answer = JSON.parse(result.out);
  assert_development_report(answer.trust);
  assert.equal(answer.trust.channel.mode, 'chain');
  return answer;
}

async function query(family, key) {
  const {code, out, err} = await run(place, ['query', family, key, '--json']);
  assert.equal(code, 0, err);
  return JSON.parse(out).value;
}

const receipt_of = async (answer) => {
  const {receipt} = await (
    await network.call(`/v1/receipts/${answer.receipt.receipt_id}`)
  ).json();
  return receipt;
};

test('a prompt through the ledger is answered, and its receipt verifies offline', async () => {
  const answer = await ask('Which city is the capital of France?');
  assert.match(answer.answer, /Paris/);
  const path = join(place.folder, 'receipt.json');
  writeFileSync(path, JSON.stringify(answer.receipt));
  const {code, out, err} = await run(place, ['verify-receipt', path]);
  assert.equal(code, 0, out + err);
  // What the ledger holds is ciphertext, and what it paid is what the receipt says.
  const receipt = await receipt_of(answer);
  const job = await query('jobs', receipt.session);
  assert.ok(!JSON.stringify(job).includes(Buffer.from('Paris').toString('hex')));
  const session = await query('sessions', receipt.session);
  assert.equal(session.state, 'closed');
  assert.equal(session.cumulative_units, receipt.cumulative_units);
  assert.equal(session.escrow_micro, 0);

  // Another evidence, or a registration in another block, and nothing is left of it.
  for (const [member, value] of [
    ['block_height', answer.receipt.channel.block_height + 1],
    ['block_hash', '00'.repeat(32)],
  ]) {
    const forged = structuredClone(answer.receipt);
    forged.channel[member] = value;
    writeFileSync(path, JSON.stringify(forged));
    const refused = await run(place, ['verify-receipt', path]);
    assert.equal(refused.code, kRefused, member);
    assert.match(refused.out + refused.err, /channel_binding|evidence/);
  }
});

function write_document(path) {
  const line = 'The lighthouse keeper writes the weather into his book every evening.\n';
  const piece = Buffer.from(line.repeat(10_000));
  const file = openSync(path, 'w');
  for (let size = 0; size < kDocumentBytes; size += piece.length) writeSync(file, piece);
  closeSync(file);
}

test('a document of 50 MB travels by reference, and only as it was sealed', async () => {
  const path = join(place.folder, 'document.txt');
  write_document(path);
  const question = 'What does the keeper write?';
  const alone = await receipt_of(await ask(question));
  const answer = await ask(question, ['--attach', path]);
  const receipt = await receipt_of(answer);
  assert.ok(receipt.prompt_units > alone.prompt_units + 100, 'the model saw the document');
  assert.match(answer.answer, /weather|book|keeper/i);

  const build = readdirSync(network.folder).find((name) => name.startsWith('build-'));
  const blobs = join(network.folder, build, 'blobs');
  const names = readdirSync(blobs);
  assert.equal(names.length, 1);
  const kept = readFileSync(join(blobs, names[0]));
  assert.ok(kept.length > kDocumentBytes);
  assert.ok(!kept.includes('lighthouse'), 'it left this computer as ciphertext');

  // The store lies about one byte: the node finds out by the hash, and nobody pays.
  kept[kept.length >> 1] ^= 1;
  writeFileSync(join(blobs, names[0]), kept);
  const model = (await (await network.call('/v1/models')).json()).data[0].id;
  const uri = `http://127.0.0.1:${blob_port()}/blob/${names[0]}`;
  const response = await fetch(`${network.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${network.token}`,
      'content-type': 'application/json',
      'x-cloister-mode': 'chain',
    },
    body: JSON.stringify({
      model,
      messages: [{role: 'user', content: question}],
      cloister: {documents: [{uri, key: '00'.repeat(32)}]},
    }),
    signal: AbortSignal.timeout(kTimeoutMs),
  });
  assert.notEqual(response.status, 200);
  const {error} = await response.json();
  assert.match(error.message, /document/);
});

const blob_port = () => Number(JSON.parse(running()).blobs.split(':')[1]);
const running = () => readFileSync(join(place.data, 'cloister', 'running.json'), 'utf8');

test('a node that dies with a job is replaced; the ledger refunds and fines it', async () => {
  process.kill(network.daemons()['node-1'], 'SIGKILL');
  const missed = async () => {
    const {refused_nodes} = await (await network.call('/health')).json();
    return refused_nodes.find(({reason}) => reason === kMissed);
  };
  // Each job is drawn anew: by the twelfth the dead node has had one, but for one time in thousands.
  for (let jobs = 0; jobs < 12 && !(await missed()); ++jobs) {
    const {answer} = await ask('Say hello.');
    assert.notEqual(answer, '');
  }
  const {instance} = await missed();
  const {operator_account} = await query('instances', instance);
  const {slashed_micro} = await query('operators', operator_account);
  assert.ok(slashed_micro > 0, 'who let a user down pays for it');
  // From now on it is passed over.
  await ask('Say hello.');
});

test('Ctrl-C ends what is left', async () => {
  const {code, err} = await network.stop();
  assert.equal(code, 0, err);
  assert.deepEqual(place.left_over(), []);
});
