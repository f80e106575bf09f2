// The page that needs no gateway, in a browser, at the address that `cloister up` prints.
// CLOISTER_SHOTS=FOLDER keeps pictures for a look by eye.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {chromium} from 'playwright-core';

import {find_chromium} from './chromium.mjs';
import {Place, start_network} from './program.mjs';
import {kDevelopment} from './trust.mjs';

const kTimeoutMs = 180_000;
const kRows = [
  'genesis',
  'ledger_quorum',
  'ledger_record',
  'drawn',
  'platforms',
  'policy',
  'model_root',
  'key_binding',
  'confirmed_before_compute',
  'receipt_signature',
];
const kSteps = ['submitted', 'drawn', 'checked', 'posted', 'answered'];

// All tests of the page at a network that `cloister up WORDS` starts, with that many endpoints.
export function test_chain_page(name, words, endpoints) {
  let place;
  let network;
  let browser;

  before(async () => {
    place = new Place();
    network = await start_network(place, words);
    const as_root = process.getuid() === 0; // Chromium refuses its sandbox to root
    browser = await chromium.launch({executablePath: find_chromium(), chromiumSandbox: !as_root});
  });
  after(async () => {
    await browser?.close();
    place.remove();
  });

  const address = () => network.text.out.match(/^Page without a gateway.*: (\S+)$/m)[1];

  // A fresh page that notes everything it must not do.
  async function open(t, url) {
    const context = await browser.newContext({viewport: {width: 1280, height: 860}});
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(kTimeoutMs);
    const faults = [];
    const asked = new Set();
    const {origin} = new URL(url);
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (to.protocol !== 'data:' && to.origin !== origin) asked.add(to.origin);
    });
    page.on('pageerror', (error) => faults.push(`error: ${error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(`console: ${message.text()}`);
    });
    await page.goto(url);
    return {page, context, faults, asked};
  }

  async function picture(page, state) {
    const shots = process.env.CLOISTER_SHOTS;
    if (!shots) return;
    mkdirSync(shots, {recursive: true});
    await page.screenshot({path: join(shots, `chain-${name}-${state}.png`), fullPage: true});
  }

  test(`${name}: a prompt of the page is answered through the ledger`, async (t) => {
    const {page, context, faults, asked} = await open(t, address());
    const question = page.getByLabel('Your question');
    await question.fill('Which city is the capital of France?');
    assert.equal(new URL(page.url()).hash, '', 'the key has left the address');
    await picture(page, 'question');
    await page.getByRole('button', {name: 'Ask through the ledger'}).click();
    const answer = page.locator('.answer[data-state=done]');
    await Promise.race([answer.waitFor(), page.getByRole('alert').waitFor()]);
    await picture(page, 'answer');
    assert.equal(await page.getByRole('alert').count(), 0, await page.locator('main').innerText());
    assert.match(await answer.innerText(), /Paris/);
    assert.ok((await answer.innerText()).includes(kDevelopment));

    const rows = page.locator('[data-check]');
    assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => row.dataset.check)), kRows);
    assert.equal(await page.locator('[data-check].bad').count(), 0);
    const steps = page.locator('[data-step]');
    const shown = await steps.evaluateAll((all) => all.map((step) => step.dataset.step));
    assert.deepEqual(shown.filter((step) => step !== 'refunded').slice(-kSteps.length), kSteps);
    const quorum = await page.locator('[data-check=ledger_quorum]').innerText();
    assert.match(quorum, new RegExp(`${endpoints} endpoints agree`));

    assert.equal(asked.size, endpoints, [...asked].join()); // the ledger, and nobody else
    assert.ok(![...asked].includes(network.origin), 'no gateway');
    const stored = await page.evaluate(() =>
      JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie]),
    );
    assert.equal(stored, '[{},{},""]');
    assert.deepEqual(await context.cookies(), []);
    assert.deepEqual(faults, []);
  });

  test(`${name}: without money it says so, and the question stays`, async (t) => {
    const {page} = await open(t, address().split('#')[0]);
    const question = page.getByLabel('Your question');
    await question.fill('Say hello.');
    const ask = page.getByRole('button', {name: 'Ask through the ledger'});
    assert.ok(await ask.isDisabled(), 'nobody pays');
    await page.getByRole('button', {name: 'Make a new key'}).click();
    await ask.click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /does not hold the amount/);
    assert.equal(await question.inputValue(), 'Say hello.');
    await picture(page, 'poor');
  });

  test(`${name}: Ctrl-C ends what is left`, async () => {
    const {code, err} = await network.stop();
    assert.equal(code, 0, err);
    assert.deepEqual(place.left_over(), []);
  });
}
