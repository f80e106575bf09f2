// `cloister testnet`: a network of validators, from nothing to a stop that leaves nothing behind.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {Place, run} from './lib/program.mjs';

const kTimeoutMs = 120_000;
let place;
const kPort = String(20_000 + (process.pid % 20_000));

before(() => {
  place = new Place();
});
after(() => place.remove());

function testnet(...words) {
  const all = ['testnet', '--validators', '4', '--dir', join(place.folder, 'net'), '--port', kPort];
  return run(place, [...all, ...words], {timeout_ms: kTimeoutMs});
}

function heights(out) {
  const last = out.trim().split('\n').at(-1);
  assert.match(last, /^heights( \d+){4}$/);
  return last.split(' ').slice(1).map(Number);
}

test('its files are those that operators keep, and secrets are theirs alone', async () => {
  const made = await testnet('--files-only');
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /development: no hardware protection/);
  const net = join(place.folder, 'net');
  for (const i of [1, 2, 3, 4]) {
    const home = join(net, `validator-${i}`);
    for (const file of ['beacon.key', 'config/priv_validator_key.json', 'config/node_key.json']) {
      assert.equal(statSync(join(home, file)).mode & 0o777, 0o600, file);
    }
    const document = JSON.parse(readFileSync(join(home, 'config/genesis.json'), 'utf8'));
    assert.equal(document.validators.length, 4);
  }
});

test('it makes blocks, stops, and goes on from there', async () => {
  const first = await testnet('--until-height', '40');
  assert.equal(first.code, 0, first.err);
  assert.ok(heights(first.out).every((h) => h >= 40));
  assert.deepEqual(place.left_over(), []);
  const second = await testnet('--until-height', '45');
  assert.equal(second.code, 0, second.err);
  const all_up = second.out.split('\n').find((line) => /^heights( [1-9]\d*){4}$/.test(line));
  assert.ok(heights(all_up).every((h) => h >= 40), second.out);
  assert.deepEqual(place.left_over(), []);
});

test('another number of validators is not what is there', async () => {
  const words = ['testnet', '--validators', '3', '--dir', join(place.folder, 'net')];
  const refused = await run(place, words);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /is of 4 validators/);
});

// docs/validators.md, "Founding a network", by one founder.
test('a network is founded from keys that its founder makes', async () => {
  const folder = join(place.folder, 'founded');
  mkdirSync(folder);
  const file = (name) => join(folder, name);
  const config = 'genesis = "genesis.json"\nhome = "home"\nbeacon_key = "beacon.key"\n';
  writeFileSync(file('validator.toml'), config);
  const validator = (...words) => run(place, ['validator', '--config', file('validator.toml'), ...words]);
  const good = async (step) => {
    const {code, out, err} = await step;
    assert.equal(code, 0, err);
    return out.trim();
  };
  const refused = async (step, why) => {
    const {code, err} = await step;
    assert.notEqual(code, 0);
    assert.match(err, why);
  };

  const keys = JSON.parse(await good(validator('--make-keys')));
  assert.deepEqual(Object.keys(keys), ['consensus_key', 'node_id']);
  assert.deepEqual(JSON.parse(await good(validator('--make-keys'))), keys);
  await refused(validator('--init'), /genesis\.json/);
  const operator = await good(run(place, ['keys', 'new', file('operator.key')]));
  const words = ['genesis', 'new', file('genesis.json'), '--chain-id', 'founded-1'];
  words.push('--validator', `${keys.consensus_key}=${operator}`);
  let theirs; // of one of three other founders
  for (const i of [1, 2, 3]) {
    const config = join(place.folder, 'net', `validator-${i}.toml`);
    theirs = JSON.parse(await good(run(place, ['validator', '--config', config, '--make-keys'])));
    const backer = await good(run(place, ['keys', 'new', file(`operator-${i}.key`)]));
    words.push('--validator', `${theirs.consensus_key}=${backer}`);
  }
  await good(run(place, [...words, '--beacon-shares', file('shares')]));
  const share_of = (key) => join(file('shares'), `${key.slice(0, 12)}.beacon.key`);
  assert.equal(readdirSync(file('shares')).length, 4);

  copyFileSync(join(place.folder, 'net', 'validator-1', 'beacon.key'), file('beacon.key'));
  await refused(validator('--init'), /not a share of this network's beacon/);
  copyFileSync(share_of(theirs.consensus_key), file('beacon.key'));
  await refused(validator('--init'), /the share of another validator/);
  copyFileSync(share_of(keys.consensus_key), file('beacon.key'));
  await refused(validator('--init', '--peer', 'nobody@nowhere'), /is not NODE_ID@HOST:PORT/);
  const peer = `${keys.node_id}@203.0.113.7:26656`;
  await good(validator('--init', '--peer', peer));
  const written = readFileSync(join(file('home'), 'config', 'config.toml'), 'utf8');
  assert.match(written, new RegExp(`persistent_peers = "${peer}"`));
  assert.match((await validator('--init')).err, /config\.toml is there and stays as it is/);

  mkdirSync(join(file('home'), 'data', 'blockstore.db'));
  rmSync(join(file('home'), 'data', 'priv_validator_state.json'));
  await refused(validator('--init'), /what was signed is not known/);
  await refused(validator('--init', '--status'), /at most 1 options be given/);
});

test('a validator that does not run says so, and one that runs how it is', async () => {
  const config = join(place.folder, 'net', 'validator-1.toml');
  const silent = await run(place, ['validator', '--config', config, '--status']);
  assert.equal(silent.code, 1);
  assert.match(silent.err, /nobody answers at 127\.0\.0\.1/);
  const account = 'ab'.repeat(32);
  const body = await run(place, ['validator', '--config', config, '--join-body', account]);
  assert.equal(body.code, 0, body.err);
  assert.deepEqual(Object.keys(JSON.parse(body.out)), ['public_key', 'signature']);
  assert.ok(!existsSync(join(place.work, 'app.sock')));
});
