// The page that the gateway serves, in a browser, at the address that `cloister up` prints.
// CLOISTER_SHOTS=FOLDER keeps pictures for a look by eye.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {chromium} from 'playwright-core';

import {find_chromium} from './lib/chromium.mjs';
import {network} from './lib/shared.mjs';
import {kChecks, kDevelopment} from './lib/trust.mjs';

const kTimeoutMs = 180_000;
// Small models answer it in a few words; others would take the page's time.
// Its answer takes seconds, so that a page on a busy machine draws it more than once.
const kQuestion = 'Tell me a long story about a lighthouse and the sea.';
const shots = process.env.CLOISTER_SHOTS;
let browser;

before(async () => {
  const as_root = process.getuid() === 0; // Chromium refuses its sandbox to root
  browser = await chromium.launch({executablePath: find_chromium(), chromiumSandbox: !as_root});
});
after(async () => {
  await browser?.close();
});

// A fresh page that notes everything it must not do.
async function open(t) {
  const context = await browser.newContext({viewport: {width: 1280, height: 860}});
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(kTimeoutMs);
  const faults = [];
  page.on('request', (request) => {
    const url = request.url();
    const ours = url.startsWith(`${network.origin}/`) || url.startsWith(`blob:${network.origin}/`);
    if (!ours) faults.push(`foreign request: ${url}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
    window.lengths = new Set(); // of the answer, while it streams
    new MutationObserver(() => {
      const prose = document.querySelector('.answer.streaming .prose');
      if (prose) window.lengths.add(prose.textContent.length);
    }).observe(document, {childList: true, subtree: true, characterData: true});
  });
  const faultless = async () => {
    assert.deepEqual(faults, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  };
  return {page, context, faultless};
}

async function picture(page, name) {
  if (!shots) return;
  mkdirSync(shots, {recursive: true});
  await page.screenshot({path: join(shots, `${name}.png`)});
}

test('a prompt is answered in a stream and its shield opens all checks', async (t) => {
  const {page, context, faultless} = await open(t);
  await page.goto(network.page);
  const question = page.getByLabel('Your question');
  await question.waitFor();
  assert.equal(page.url(), `${network.origin}/`, 'the token has left the address');
  assert.ok((await page.locator('.banner').innerText()).includes(kDevelopment));
  await picture(page, 'welcome');

  await question.fill(kQuestion);
  await page.keyboard.press('Enter');
  await page.locator('.answer').waitFor();
  await picture(page, 'streaming');
  const shield = page.locator('button.shield').last();
  await shield.waitFor();
  const lengths = await page.evaluate(() => [...window.lengths]);
  assert.ok(lengths.length > 1, `the answer grew while it was read: ${lengths}`);
  assert.equal((await shield.innerText()).trim(), kDevelopment);
  await picture(page, 'answer');

  await shield.click();
  const rows = page.locator('[data-check]');
  await rows.first().waitFor();
  assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => row.dataset.check)), kChecks);
  assert.equal(await page.locator('[data-check].bad').count(), 0);
  assert.ok((await page.locator('.panel .statement').innerText()).includes(kDevelopment));
  await picture(page, 'shield');

  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', {name: 'Export as file'}).click(),
  ]);
  const verify = spawnSync(process.env.CLOISTER_PROGRAM, ['verify-receipt', await saved.path()]);
  assert.equal(verify.status, 0, `the exported receipt: ${verify.stdout}${verify.stderr}`);

  const [cookie, ...others] = await context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, others.length], [true, 'Strict', 0]);
  const stored = await page.evaluate(() =>
    JSON.stringify([{...localStorage}, {...sessionStorage}]),
  );
  assert.equal(stored, '[{},{}]');
  await faultless();
});

test('without the token the page shows how to open it and sends no prompt', async (t) => {
  const {page} = await open(t);
  await page.goto(`${network.origin}/`);
  await page.getByRole('heading', {name: 'Open Cloister from your terminal'}).waitFor();
  assert.equal(await page.getByLabel('Your question').count(), 0);
});
