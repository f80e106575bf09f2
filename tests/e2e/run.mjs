// node run.mjs PROGRAM NAME...: runs NAME.test.mjs against the built program, at a network that all
// of them share where they want one. Exits 77 with a reason where they cannot run.
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const kHere = fileURLToPath(new URL('.', import.meta.url));
const kModel = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const kShared = ['openai_client', 'page']; // serve from one network, whose stop is judged here
const kNeedComet = ['comet', 'testnet', 'hosts', 'chain_page_comet'];
const kNeedBrowser = ['page', 'chain_page', 'chain_page_comet'];
const kNeeds = {
  openai_client: 'openai',
  ...Object.fromEntries(kNeedBrowser.map((name) => [name, 'playwright-core'])),
};

const [program, ...names] = process.argv.slice(2);
if (program === undefined || names.length === 0) throw new Error('say the program and test names');

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

function model_path() {
  if (process.env.CLOISTER_MODEL) return process.env.CLOISTER_MODEL;
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(process.env.CLOISTER_CACHE ?? join(caches, 'cloister'), 'models', kModel);
}

function comet_path() {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const cache = process.env.CLOISTER_CACHE ?? join(caches, 'cloister');
  return process.env.CLOISTER_COMETBFT ?? join(cache, 'cometbft', 'v0.38.25', 'cometbft');
}

if (names.some((name) => kNeedComet.includes(name)) && !existsSync(comet_path()))
  skip('CometBFT is not built; scripts/fetch_cometbft builds it where Go is');
if (!existsSync(program)) skip(`${program} is not built`);
if (!existsSync(model_path())) skip(`no model at ${model_path()}; scripts/fetch_model brings it`);
for (const name of names) {
  const needed = kNeeds[name];
  if (needed && !existsSync(join(kHere, 'node_modules', needed)))
    skip(`the npm package ${needed} is not installed; npm ci in tests/e2e brings it`);
}
process.env.CLOISTER_PROGRAM = resolve(program);
if (names.some((name) => kNeedBrowser.includes(name))) {
  const {find_chromium} = await import('./lib/chromium.mjs');
  if (find_chromium() === undefined)
    skip('no Chromium here; apt-get install chromium, or set CHROMIUM');
}

function run_tests(env) {
  const files = names.map((name) => join(kHere, `${name}.test.mjs`));
  const words = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
  const child = spawn(process.execPath, words, {stdio: 'inherit', env});
  return new Promise((done) => {
    child.once('close', (code) => done(code ?? 1));
  });
}

async function run_at_shared_network() {
  const {Place, start_network} = await import('./lib/program.mjs');
  const place = new Place();
  try {
    const {page, api, origin, token, ...running} = await start_network(place, ['--nodes', '2']);
    const given = JSON.stringify({page, api, origin, token});
    const code = await run_tests({...process.env, CLOISTER_E2E_NETWORK: given});
    running.child.kill('SIGINT');
    const ended = await running.ended;
    if (ended.code !== 0) throw new Error(`cloister up ended with ${ended.code}: ${ended.err}`);
    const left = place.left_over();
    if (left.length > 0) throw new Error(`still running: ${left.join('\n')}`);
    return code;
  } finally {
    place.remove();
  }
}

const shared = names.some((name) => kShared.includes(name));
process.exit(await (shared ? run_at_shared_network() : run_tests(process.env)));
