// The ledger from the command line: proven reads, transactions, and a rule that is changed by vote
// while the network serves.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {Place, run, start_network} from './lib/program.mjs';

const kRefused = 1;
const kUnusable = 2;
let place;
let network;
let files;

before(async () => {
  place = new Place();
  network = await start_network(place, ['--nodes', '1']);
  files = join(network.folder, readdirSync(network.folder)[0]);
});
after(async () => {
  assert.equal((await network.stop()).code, 0);
  place.remove();
});

async function json(words, code = 0) {
  const {out, err, code: got} = await run(place, [...words, '--json']);
  assert.equal(got, code, `cloister ${words.join(' ')}: ${out}${err}`);
  return JSON.parse(out);
}

async function refused(words, code, ...said) {
  const {out, err, code: got} = await run(place, words);
  assert.equal(got, code, `${words.join(' ')}: ${out}${err}`);
  for (const part of said) assert.ok(err.includes(part), `${err}\nnot said: ${part}`);
}

const account_of = async (key) => (await json(['keys', 'show', join(files, key)])).account;

test('a record is read with its proof, and so is that there is none', async () => {
  const read = await json(['query', 'accounts', await account_of('node-1.key'), '--proof']);
  assert.ok(read.value.nonce > 0);
  assert.deepEqual(
    read.proof.map(({type}) => type),
    ['smt:v1', 'simple:v'],
  );
  const absent = await json(['query', 'accounts', '00'.repeat(32)], kRefused);
  assert.equal(absent.value, null);
  assert.equal((await json(['query', 'params'])).value.quorum_permille, 500);
});

test('a transaction stands in a block, and a refusal says why', async () => {
  const to = '11'.repeat(32);
  const body = JSON.stringify({to, amount_micro: 5});
  const sent = await json(['tx', 'transfer', '--body', body]);
  assert.equal(sent.code, 'ok');
  assert.equal((await json(['query', 'accounts', to])).value.balance_micro, 5);
  await refused(['tx', 'operator_withdraw'], kRefused, 'not_operator', 'never bonded');
  await refused(['tx', 'transfer', '--body', '{"to": 5}'], kUnusable, '--example');
  await refused(['tx', 'trasnfer'], kUnusable, 'did you mean transfer?');
  await refused(['tx', 'transfer', '--body', '@absent.json'], kUnusable, 'absent.json');
  await refused(['query', 'acounts', to], kUnusable, 'did you mean accounts?');
  await refused(['query', 'collateral'], kUnusable, 'say which record of collateral');
  await refused(['query', 'accounts', 'xyz'], kUnusable, 'xyz');
  await refused(['query', 'params', '--rpc', '127.0.0.1:1'], kRefused, '127.0.0.1:1');
  await refused(['query', 'params', '--rpc', 'nowhere'], kUnusable - 1, 'host:port');
});

test("the user's own rules are shown merged, and mistakes in them are named", async () => {
  const own = join(place.work, 'policy.toml');
  writeFileSync(own, 'accepted_statuses = ["UpToDate"]\nrefuse_development = true\n');
  const {with_local} = await json(['policy', 'show', '--local', own]);
  assert.deepEqual(with_local.accepted_statuses, ['UpToDate']);
  assert.equal(with_local.allow_development, false);
  assert.equal(with_local.releases.length, 2);
  writeFileSync(own, 'accepted_statuses = ["Fine"]\n');
  await refused(['policy', 'show', '--local', own], kUnusable, 'policy.toml', 'Fine');
  writeFileSync(own, 'acepted_statuses = []\n');
  await refused(['policy', 'show', '--local', own], kUnusable, 'did you mean accepted_statuses?');
});

test('a vote denies an advisory at once, and lifts it only after its timelock', async () => {
  const {in_force} = await json(['policy', 'show']);
  assert.equal(in_force.version, 1);
  const change = join(place.work, 'change.json');
  writeFileSync(change, JSON.stringify({kind: 'advisory', value: Buffer.from('SA-1').toString('hex')}));
  const key = ['--key', join(files, 'node-1.key')];
  await refused(['policy', 'propose', 'restriction', `@${change}`], kRefused, 'stake_too_low');
  const proposed = await json(['policy', 'propose', 'restriction', `@${change}`, ...key]);
  assert.match(proposed.data, /^[0-9a-f]{64}$/);
  await refused(['policy', 'vote', proposed.data, 'yes', ...key], kRefused, 'proposal_closed');
  await refused(['policy', 'vote', proposed.data, 'maybe', ...key], kUnusable, 'yes or no');
  await refused(['policy', 'pause', '1', ...key], kRefused, 'not_release_key');
  let shown = in_force;
  for (let tries = 0; shown.version === 1 && tries < 100; ++tries) {
    shown = (await json(['policy', 'show'])).in_force;
  }
  assert.deepEqual(shown.denied_advisories, ['SA-1']);
  const {out} = await run(place, ['policy', 'diff', '1']);
  assert.match(out, /denied_advisories: \+ "SA-1"/);
  const lifted = await json(['policy', 'propose', 'lift', `@${change}`, ...key]);
  const proposal = await json(['query', 'proposals', lifted.data]);
  assert.equal(proposal.value.state, 'passed');
  assert.ok(proposal.value.due_height > proposal.height + 1000);
});

test('the newest block is verified, and endpoints that do not answer are named', async () => {
  const running = await json(['light', 'verify']);
  assert.equal(running.verified, true);
  assert.deepEqual(running.endpoints.map((each) => each.state), ['agrees']);
  const [{endpoint, height}] = running.endpoints;
  assert.equal(height, running.height);
  const two = await json(['light', 'verify', '--rpc', '127.0.0.1:1', '--rpc', endpoint]);
  assert.deepEqual(two.endpoints.map((each) => each.state), ['unreachable', 'agrees']);
  const root = `${running.height}:${running.hash}`;
  assert.equal((await json(['light', 'verify', '--root', root])).verified, true);
  const other = `${running.height}:${'ab'.repeat(32)}`;
  const {code, out} = await run(place, ['light', 'verify', '--root', other]);
  assert.equal(code, kRefused);
  assert.match(out, /no block could be verified.*lying/s);
  await refused(['light', 'verify', '--root', 'yesterday'], kUnusable, 'HEIGHT:HASH');
});

test('a session is followed until it has ended', async () => {
  const [{root}] = JSON.parse(readFileSync(join(files, 'genesis.json'), 'utf8')).models;
  const wish = {
    model_root: root,
    requirement: {formats: '', tcb_statuses: '', diversity: 1, gpu: false},
    max_units: 1000,
    price_cap_micro: 10_000_000,
    deposit_micro: 10_000,
    lifetime_blocks: 100,
    allow_audit: false,
  };
  const {data: session} = await json(['tx', 'open_session', '--body', JSON.stringify(wish)]);
  const watching = run(place, ['watch', '--session', session, '--json']);
  let state;
  do {
    state = (await json(['query', 'sessions', session])).value.state;
  } while (state === 'requested');
  assert.equal(state, 'assigned');
  // There is one node only, so that nobody is left to draw.
  const report = JSON.stringify({session, reason: 'unreachable', evidence: []});
  await json(['tx', 'report_attestation', '--body', report]);
  const {out, code} = await watching;
  assert.equal(code, 0, out);
  const states = out.trim().split('\n').map((line) => JSON.parse(line).session.state);
  assert.ok(states.includes('assigned'), out);
  assert.equal(states.at(-1), 'refunded');
  await refused(['watch', '--session', 'mine'], kUnusable, '64 hex digits');
  await refused(['watch', '--session', '00'.repeat(32)], kRefused, 'no such session');
});

test('a genesis is made, checked, and never replaced', async () => {
  const validator = (await json(['keys', 'new', join(place.work, 'validator.key')])).account;
  const backer = (await json(['keys', 'new', join(place.work, 'backer.key')])).account;
  const pair = `${validator}=${backer}`;
  const words = ['genesis', 'new', 'new.json', '--chain-id', 'test', '--validator', pair];
  const made = await run(place, [...words, '--beacon-shares', 'shares']);
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /dealer/);
  const checked = await json(['genesis', 'check', 'new.json']);
  assert.equal(checked.hash, made.out.trim());
  assert.equal(checked.validators, 1);
  await refused([...words, '--beacon-shares', 'other'], kRefused, 'exists already');
  const bad = ['genesis', 'new', 'bad.json', '--chain-id', 'test', '--validator', pair];
  await refused([...bad, '--beacon-shares', 'bad', '--release-threshold', '1'], kUnusable, 'threshold');
  const alone = [...bad.slice(0, -1), validator, '--beacon-shares', 'bad'];
  await refused(alone, kUnusable, 'CONSENSUS_KEY=OPERATOR');
  assert.ok(!existsSync(join(place.work, 'bad')), 'a genesis that is refused deals nothing');
  const bent = readFileSync(join(place.work, 'new.json'), 'utf8').replace('"test"', '""');
  writeFileSync(join(place.work, 'bent.json'), bent);
  await refused(['genesis', 'check', 'bent.json'], kRefused, 'bent.json', 'chain id');
});
