// Runs the tests of the page: node test/run.mjs unit | browser DIST
// Exits 77 with a reason where they cannot run.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const [kind, dist = ''] = process.argv.slice(2);

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

if (kind !== 'unit' && kind !== 'browser')
  throw new Error('say unit, or browser and the built page');
if (!existsSync(join(here, '../node_modules/vite')))
  skip('the page was not built, so its tools are not installed');
if (kind === 'browser') {
  const {find_chromium} = await import('./chromium.mjs');
  if (find_chromium() === undefined)
    skip('no Chromium here; apt-get install chromium, or set CHROMIUM');
  if (!existsSync(join(dist, 'index.html'))) skip(`no built page in "${dist}"`);
}

const files = readdirSync(join(here, kind))
  .filter((name) => name.endsWith('.test.mjs'))
  .sort()
  .map((name) => join(here, kind, name));
const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
  stdio: 'inherit',
  env: {...process.env, CLOISTER_WEB_DIST: resolve(dist)},
});
process.exit(run.status ?? 1);
