// What people and disks do wrong: each ends at once, with a sentence that names the thing and with
// the exit code that scripts rely on.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {kProgram, Place, run, start_network} from './lib/program.mjs';

const kUnusable = 2;
const kRefused = 1;
const kReadyTimeoutMs = 60_000;
let place;
let network;
let files; // the folder of this build's network

before(async () => {
  place = new Place();
  network = await start_network(place, ['--nodes', '1']);
  const [build] = readdirSync(network.folder);
  files = join(network.folder, build);
});
after(() => place.remove());

async function refused(words, code, ...said) {
  const result = await run(place, words, {timeout_ms: 240_000});
  const told = `cloister ${words.join(' ')}: ${result.code} ${result.out}${result.err}`;
  assert.equal(result.code, code, told);
  assert.equal(result.out, '', told);
  for (const part of said) assert.ok(result.err.includes(part), `${told}\nnot said: ${part}`);
  return result;
}

test('words that mean nothing are answered with the nearest that do', async () => {
  await refused(['upp'], kUnusable, 'upp', 'did you mean up?');
  await refused(['up', '--nods', '2'], kUnusable, '--nods', 'did you mean --nodes?');
  await refused(['up', 'extra'], kUnusable, 'extra');
  await refused(['up', '--nodes', '0'], kUnusable, '--nodes', '1 to 8');
  await refused(['up', '--port', '99999'], kUnusable, '--port', '99999');
  await refused(['up', '--log-level', 'loud'], kUnusable, 'loud', 'warning');
  await refused(['ask'], kUnusable, 'prompt');
  await refused([], kUnusable, 'subcommand');
});

test('validators and engines that do not fit are refused', async () => {
  await refused(['up', '--validators', '4'], kUnusable, '--engine comet');
  await refused(['up', '--engine', 'raft'], kUnusable, 'raft', 'comet');
  await refused(['up', '--engine', 'comet', '--validators', '17'], kUnusable, '1 to 16');
  await refused(['testnet'], kUnusable, '--dir');
  await refused(['validator', '--config', 'absent.toml'], kRefused, 'absent.toml');
});

test('what is not built says so', async () => {
  await refused(['up', '--mode', 'relay'], kUnusable, 'relay is not built yet');
  await refused(['ask', 'hello', '--mode', 'relay'], kUnusable, 'relay is not built yet');
});

test('another model than the pinned one is named by its hash', async () => {
  const kPinned = /expected b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53/;
  const path = join(place.folder, 'model.gguf');
  writeFileSync(path, 'GGUF and nothing more');
  const with_model = {
    folder: place.folder,
    work: place.work,
    env: {...place.env, CLOISTER_MODEL: path},
  };
  const other = await run(with_model, ['up', '--once', 'x']);
  assert.equal(other.code, kRefused);
  assert.match(other.err, kPinned);
  assert.match(other.err, /scripts\/fetch_model/);
  rmSync(path);
  const missing = await run(with_model, ['up', '--once', 'x']);
  assert.equal(missing.code, kRefused);
  assert.ok(missing.err.includes(path) && missing.err.includes('expected SHA-256 b179c952'));
  await refused(['up', '--once', 'x', '--model-file', path], kRefused, path);
});

test("a second network in the same folder is refused by the folder's name", async () => {
  await refused(['up', '--dir', network.folder], kRefused, files, 'already runs');
});

test('a used port is named', async () => {
  const port = new URL(network.origin).port;
  const words = ['up', '--dir', join(place.folder, 'other'), '--port', port, '--nodes', '1'];
  await refused(words, kRefused, port, '--port N');
});

test('a killed `up` leaves no process, and its network goes on where it was', async () => {
  const height = async () => {
    const headers = {authorization: `Bearer ${network.token}`};
    return (await (await fetch(`${network.origin}/health`, {headers})).json()).height;
  };
  const before_height = await height();
  network.child.kill('SIGKILL');
  await network.ended;
  const deadline = Date.now() + 30_000;
  while (place.left_over().length > 0) {
    assert.ok(Date.now() < deadline, place.left_over().join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  network = await start_network(place, ['--nodes', '1']);
  assert.ok((await height()) > before_height, 'the ledger went on');
  assert.equal((await network.stop()).code, 0);
});

test('`ask` without a gateway says how to start one', async () => {
  const alone = {...place, env: {...place.env, XDG_DATA_HOME: join(place.folder, 'empty')}};
  const {code, err} = await run(alone, ['ask', 'hello']);
  assert.equal(code, kRefused);
  assert.match(err, /no gateway runs here; start one with `cloister up`/);
});

// A copy of the network's folder with one fault in it, and the daemon's command for it.
function damaged(name, damage) {
  const folder = join(place.folder, 'damaged');
  rmSync(folder, {recursive: true, force: true});
  cpSync(files, folder, {recursive: true});
  damage(folder);
  return [name.replace(/-\d$/, ''), '--config', join(folder, `${name}.toml`)];
}

const edit = (path, change) => writeFileSync(path, change(readFileSync(path, 'utf8')));

test('an unknown key of a configuration is named with its line and the nearest key', async () => {
  for (const [daemon, wrong, right] of [
    ['ledger', 'validator_kee', 'validator_key'],
    ['node-1', 'capacitee', 'capacity'],
    ['gateway', 'user_kee', 'user_key'],
  ]) {
    let line;
    const words = damaged(daemon, (folder) =>
      edit(join(folder, `${daemon}.toml`), (text) => {
        const lines = text.split('\n');
        line = lines.findIndex((row) => row.startsWith(`${right} = `)) + 1;
        assert.ok(line > 0, right);
        lines.splice(line, 0, lines[line - 1].replace(right, wrong));
        return lines.join('\n');
      }),
    );
    await refused(words, kRefused, `${daemon}.toml:${line + 1}`, wrong, `did you mean ${right}?`);
  }
});

test('a configuration that is no TOML is named with line and column', async () => {
  const words = damaged('ledger', (folder) =>
    edit(join(folder, 'ledger.toml'), (text) => `${text}port = = 3\n`),
  );
  await refused(words, kRefused, 'ledger.toml:8:');
});

test("a damaged genesis is refused by its file's name", async () => {
  const faults = [
    (text) => text.slice(0, text.length / 2),
    () => '',
    () => '{}',
    (text) => text.replace('"chain_id"', '"chain_it"'),
    (text) =>
      text.replace('"voting_power"', '"power"').replace('"development": true', '"development": 7'),
  ];
  for (const fault of faults) {
    for (const daemon of ['ledger', 'node-1', 'gateway']) {
      const words = damaged(daemon, (folder) => edit(join(folder, 'genesis.json'), fault));
      await refused(words, kRefused, 'genesis.json: ');
    }
  }
});

// Starts the ledger as `up` does. Resolves when it serves, or with how it ended.
function start_ledger(words) {
  const child = spawn(kProgram, words, {
    env: {...place.env, CLOISTER_READY_FD: '3'},
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    timeout: kReadyTimeoutMs,
    killSignal: 'SIGKILL',
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (more) => (err += more));
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({code, signal, err}));
  });
  const ready = new Promise((resolve) => {
    child.stdio[3].once('data', () => resolve('ready'));
  });
  return {child, ended, first: Promise.race([ready, ended])};
}

test('a damaged database is opened, or refused with a sentence; never a crash', async () => {
  const name = 'ledger.db';
  const size = statSync(join(files, name)).size;
  assert.ok(size > 8192);
  let refusals = 0;
  for (const at of [
    0,
    1,
    99,
    100,
    511,
    512,
    4095,
    4096,
    4097,
    Math.floor(size / 2),
    size - 1,
    size,
  ]) {
    const words = damaged('ledger', (folder) => truncateSync(join(folder, name), at));
    const {child, ended, first} = start_ledger(words);
    if ((await first) === 'ready') child.kill('SIGTERM');
    const {code, signal, err} = await ended;
    assert.equal(signal, null, `cut at ${at}: ended by ${signal}`);
    assert.ok([0, kRefused].includes(code), `cut at ${at}: exit ${code}: ${err}`);
    if (code === kRefused) {
      ++refusals;
      assert.match(err, /^error: .{10,}/m, `cut at ${at}`);
    }
    if (at === size) assert.equal(code, 0, `whole: ${err}`);
  }
  assert.ok(refusals > 0, 'a cut database was noticed');
  assert.ok(existsSync(join(files, name)));
});

test('a ledger is backed up once, restored where there is none, and goes on', async () => {
  const backup = join(place.folder, 'backup');
  const words = damaged('ledger', () => {});
  const folder = join(place.folder, 'damaged');
  const written = await run(place, [...words, '--backup', backup]);
  assert.equal(written.code, 0, written.err);
  assert.match(written.out, /^the state at height \d+ in 1 chunk, signed: /);
  await refused([...words, '--backup', backup], kRefused, 'something already');
  await refused([...words, '--restore', backup], kRefused, 'ledger.db', 'something already');
  await refused([...words, '--restore', backup, '--backup', backup], kUnusable, 'excludes');
  rmSync(join(folder, 'ledger.db'));
  await refused([...words, '--backup', `${backup}2`], kRefused);
  edit(join(backup, 'last_block'), (bytes) => `${bytes}x`);
  await refused([...words, '--restore', backup], kRefused, 'not signed by the validator');
  rmSync(backup, {recursive: true});
  const whole = damaged('ledger', () => {});
  assert.equal((await run(place, [...whole, '--backup', backup])).code, 0);
  rmSync(join(folder, 'ledger.db'));
  const restored = await run(place, [...whole, '--restore', backup]);
  assert.equal(restored.code, 0, restored.err);
  const {child, ended, first} = start_ledger(whole);
  assert.equal(await first, 'ready');
  child.kill('SIGTERM');
  const {code, err} = await ended;
  assert.equal(code, 0, err);
});

test('a ledger that would keep too few blocks says how many', async () => {
  const words = damaged('ledger', (folder) =>
    edit(join(folder, 'ledger.toml'), (text) => `${text}keep_blocks = 5\n`),
  );
  await refused(words, kRefused, 'keep_blocks', '1200');
});

test('nothing runs on', () => {
  assert.deepEqual(place.left_over(), []);
});
