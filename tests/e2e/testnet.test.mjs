// `cloister testnet`: a network of validators, from nothing to a stop that leaves nothing behind.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, statSync} from 'node:fs';
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
  const first = await testnet('--until-height', '5');
  assert.equal(first.code, 0, first.err);
  assert.ok(heights(first.out).every((h) => h >= 5));
  assert.deepEqual(place.left_over(), []);
  const second = await testnet('--until-height', '12');
  assert.equal(second.code, 0, second.err);
  assert.ok(heights(second.out.split('\n')[0]).every((h) => h >= 5 || h === 0), second.out);
  assert.deepEqual(place.left_over(), []);
});

test('another number of validators is not what is there', async () => {
  const words = ['testnet', '--validators', '3', '--dir', join(place.folder, 'net')];
  const refused = await run(place, words);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /is of 4 validators/);
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
