import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';

import {launch} from '../chromium.mjs';
import {kAnswer, start_gateway} from '../fake_gateway.mjs';
import {kPayloads} from './payloads.mjs';

const kDist = process.env.CLOISTER_WEB_DIST;
const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kRequired = 17;

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

// A page at a fresh gateway. `look()` at the end: nothing was blocked by the policy, nothing was
// asked of another origin, nothing was thrown.
async function open(t, options = {}, view = {}) {
  const gateway = await start_gateway({dist: kDist, ...options});
  const context = await browser.newContext({viewport: {width: 1280, height: 800}, ...view});
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(gateway.origin) && !url.startsWith('blob:')) faults.push(`request: ${url}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error}`));
  page.on('dialog', (dialog) => {
    faults.push('dialog');
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    const expected = /Failed to load resource: (the server responded|net::)/.test(message.text());
    if (message.type() === 'error' && !expected) faults.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  t.after(async () => {
    await context.close();
    await gateway.close();
  });
  const look = async () => {
    assert.deepEqual(faults, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  };
  return {gateway, page, context, look};
}

async function signed_in(t, options, view) {
  const opened = await open(t, options, view);
  await opened.page.goto(opened.gateway.url);
  await opened.page.getByLabel('Your question').waitFor();
  return opened;
}

async function ask(page, text) {
  await page.getByLabel('Your question').fill(text);
  await page.keyboard.press('Enter');
}

async function axe(page) {
  // Through the debugger, not a script element, which the policy would refuse.
  await page.evaluate(`${kAxe}; undefined`);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  return found.violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' | ')}`);
}

const shield = (page) => page.locator('button.shield').last();

test('the token leaves the address, becomes a cookie and is stored nowhere', async (t) => {
  const {gateway, page, context, look} = await signed_in(t);
  assert.equal(page.url(), `${gateway.origin}/`);
  const login = gateway.log.find(({url}) => url === '/ui/login');
  assert.equal(login.headers.authorization, `Bearer ${gateway.token}`);
  assert.ok(!gateway.log.some(({url}) => url.includes(gateway.token)));
  const [cookie] = await context.cookies();
  assert.equal(cookie.httpOnly, true);
  await ask(page, 'a question of mine');
  await shield(page).waitFor();
  const kept = await page.evaluate(() =>
    JSON.stringify([{...localStorage}, {...sessionStorage}, history.state]),
  );
  assert.equal(kept, '[{},{},null]');
  await page.reload();
  await page.getByLabel('Your question').waitFor();
  assert.equal(await page.locator('.turn').count(), 0, 'the conversation lives in memory only');
  await look();
});

test('without a session the page says how to open it, and a new address opens it', async (t) => {
  const {gateway, page, look} = await open(t);
  await page.goto(gateway.origin);
  await page.getByRole('heading', {name: 'Open Cloister from your terminal'}).waitFor();
  assert.ok((await page.locator('main').innerText()).includes('cloister up'));
  assert.deepEqual(await axe(page), []);
  await page.goto(`${gateway.origin}/#wrong`);
  await page.getByText('did not accept the key').waitFor();
  await page.goto(gateway.url);
  await page.getByLabel('Your question').waitFor();
  await look();
});

test('an answer streams in and its shield opens all checks of its report', async (t) => {
  const {gateway, page, look} = await signed_in(t);
  let go_on;
  gateway.paused = new Promise((resolve) => (go_on = resolve));
  await ask(page, 'What is a TEE?');
  await page.locator('.answer.streaming .prose').waitFor();
  go_on();
  await shield(page).waitFor();
  assert.equal(await shield(page).innerText(), 'Verified');
  assert.equal(await page.locator('.prose ol > li').count(), 3);
  assert.equal(await page.locator('.prose pre').innerText(), 'cloister verify-receipt answer.json');
  await shield(page).click();
  const rows = page.locator('[data-check]');
  assert.equal(await rows.count(), kRequired);
  const names = await rows.evaluateAll((all) => all.map((row) => row.dataset.check));
  assert.equal(names[0], 'vendor_root');
  assert.equal(names.at(-1), 'receipt_signature');
  await rows.nth(4).locator('summary').first().click();
  const detail = await rows.nth(4).innerText();
  for (const part of ['Expected', 'Found', 'Source', 'UpToDate', 'vendor policy v3'])
    assert.ok(detail.includes(part), part);
  const panel = await page.locator('.panel').innerText();
  for (const part of [
    'node kestrel-7',
    'What this does not prove',
    'Instance',
    'tdx-quote \u00b7 Intel TDX',
    'Ledger',
    '17 of 17',
  ])
    assert.ok(panel.includes(part), part);
  assert.equal(await page.locator('.banner').count(), 0);
  await ask(page, 'And another');
  await page.locator('.turn').nth(1).locator('button.shield').waitFor();
  assert.deepEqual(
    gateway.last_messages.map(({role}) => role),
    ['user', 'assistant', 'user'],
  );
  assert.equal(gateway.last_messages[1].content, kAnswer);
  await look();
});

test('export gives the bundle byte for byte, and copy gives the text', async (t) => {
  const {gateway, page, context, look} = await signed_in(t);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], {origin: gateway.origin});
  await ask(page, 'hello');
  await shield(page).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', {name: 'Export as file'}).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'cloister-receipt-r-1.json');
  assert.equal(readFileSync(await download.path(), 'utf8'), gateway.receipts.get('r-1'));
  await page.getByRole('button', {name: 'Copy as text'}).click();
  await page.getByRole('button', {name: 'Copied'}).waitFor();
  assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes('vendor_root'));
  await look();
});

test('development is amber, bannered for good, and never green', async (t) => {
  const {gateway, page, look} = await signed_in(t, {level: 'development'});
  await page.locator('.banner').waitFor();
  await ask(page, 'hello');
  await shield(page).click();
  assert.equal(await shield(page).innerText(), 'development: no hardware protection');
  const greens = await page.evaluate(() =>
    [...document.querySelectorAll('body *')].flatMap((el) => {
      const style = getComputedStyle(el);
      return [style.color, style.backgroundColor, style.borderTopColor]
        .filter((colour) => {
          const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
          return a > 0 && g > r + 3 && g > b + 3;
        })
        .map((colour) => `${el.className} ${colour}`);
    }),
  );
  assert.deepEqual(greens, []);
  gateway.level = 'verified'; // a network does not stop being a development network
  await page.getByRole('button', {name: 'Close', exact: true}).click();
  await page.getByRole('button', {name: 'New chat'}).click();
  await ask(page, 'again');
  await shield(page).waitFor();
  assert.equal(await page.locator('.banner').count(), 1);
  await look();
});

test('a report alone brings the development banner, when the network does not tell', async (t) => {
  const {gateway, page, look} = await signed_in(t);
  gateway.level = 'development';
  await ask(page, 'hello');
  await page.locator('.banner').waitFor();
  await look();
});

test('every level is told in words, and a contradiction is a failure', async (t) => {
  for (const [level, words] of [
    ['verified_older_firmware', 'Verified, older firmware'],
    ['verified_by_network', 'Verified by the network, not by you'],
    ['failed', 'Verification failed'],
  ]) {
    const {page, look} = await signed_in(t, {level});
    await ask(page, 'hello');
    await shield(page).waitFor();
    assert.equal(await shield(page).innerText(), words);
    await look();
  }
  const {page, look} = await signed_in(t);
  for (const [i, prompt] of ['contradiction', 'wrong_receipt'].entries()) {
    await ask(page, prompt);
    await page.locator('.turn').nth(i).locator('button.shield.failed').waitFor();
  }
  await shield(page).click();
  assert.ok((await page.locator('.verdict').innerText()).includes('belongs to another receipt'));
  await look();
});

test('an answer that ends wrongly is an error and never gets a shield', async (t) => {
  const {gateway, page, look} = await signed_in(t);
  const cases = {
    cut: 'stream_cut',
    lost: 'node_lost',
    no_done: 'stream_cut',
    no_finish: 'stream_malformed',
    garbage: 'stream_malformed',
    busy: 'node_busy',
    unverified: 'no_verified_node',
    signed_out: 'signed_out',
  };
  for (const [prompt, code] of Object.entries(cases)) {
    await ask(page, prompt);
    const turn = page.locator('.turn').last();
    await turn.locator('.error').waitFor();
    assert.equal(await turn.locator('.error code').innerText(), code, prompt);
    assert.equal(await turn.locator('.shield').count(), 0, prompt);
  }
  await ask(page, 'hello');
  await shield(page).waitFor();
  assert.deepEqual(
    gateway.last_messages,
    [{role: 'user', content: 'hello'}],
    'failed turns are not told on',
  );
  await look();
});

test('try again asks once more in place of the failed answer', async (t) => {
  const {page, gateway, look} = await signed_in(t);
  await ask(page, 'lost');
  await page.getByRole('button', {name: 'Try again'}).click();
  await page.locator('.error').waitFor();
  assert.equal(await page.locator('.turn').count(), 1);
  assert.equal(gateway.log.filter(({url}) => url === '/v1/chat/completions').length, 2);
  await look();
});

test('an answer without a receipt is called not verified', async (t) => {
  const {page, look} = await signed_in(t);
  await ask(page, 'no_receipt');
  await page.getByText('Not verified. The gateway has no receipt').waitFor();
  await look();
});

test('stop ends the request, keeps the text, and the focus stays while streaming', async (t) => {
  const {page, look} = await signed_in(t);
  await ask(page, 'hold');
  await page.locator('.answer.streaming .prose').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
  await page.keyboard.type('next question');
  assert.equal(await page.getByLabel('Your question').inputValue(), 'next question');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.turn').count(), 1, 'no second question while one is answered');
  await page.getByRole('button', {name: 'Stop'}).click();
  await page.getByText('Stopped by you.').waitFor();
  assert.ok((await page.locator('.prose').innerText()).startsWith('A trusted execution'));
  await page.getByRole('button', {name: 'Send'}).waitFor();
  await look();
});

test('everything works with the keyboard alone', async (t) => {
  const {page, look} = await signed_in(t);
  const name = () =>
    page.evaluate(() => {
      const el = document.activeElement;
      return el.getAttribute('aria-label') ?? el.textContent.trim();
    });
  const tab_to = async (want) => {
    for (let i = 0; i < 60; i++) {
      if ((await name()).startsWith(want)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`the Tab key never reaches ${want}`);
  };
  await page.keyboard.type('line one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('line two');
  await page.keyboard.press('Enter');
  await shield(page).waitFor();
  assert.equal(await page.locator('.question').innerText(), 'line one\nline two');
  await tab_to('Verified');
  await page.keyboard.press('Enter');
  await page.locator('.panel').waitFor();
  assert.equal(await name(), 'Why trust this answer?');
  await tab_to('Hardware vendor');
  await page.keyboard.press('Enter');
  await page.locator('[data-check=vendor_root] details[open]').waitFor();
  await tab_to('Export as file');
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({state: 'detached'});
  assert.equal(await name(), 'Verified', 'the focus returns to the shield');
  await look();
});

test('no serious accessibility fault in any state, light and dark, wide and narrow', async (t) => {
  const wide = {width: 1280, height: 800};
  const narrow = {width: 390, height: 844};
  for (const [colorScheme, viewport, level] of [
    ['light', wide, 'verified'],
    ['dark', narrow, 'verified'],
    ['light', narrow, 'development'],
    ['dark', wide, 'development'],
    ['light', wide, 'failed'],
    ['dark', narrow, 'failed'],
    ['light', wide, 'verified_older_firmware'],
    ['dark', wide, 'verified_by_network'],
  ]) {
    const view = {colorScheme, viewport, reducedMotion: 'reduce'};
    const {page, look} = await signed_in(t, {level}, view);
    const where = `${colorScheme} ${viewport.width} ${level}`;
    assert.deepEqual(await axe(page), [], `${where} empty`);
    await ask(page, 'unverified');
    await page.locator('.error').waitFor();
    await ask(page, 'hello');
    await shield(page).waitFor();
    assert.deepEqual(await axe(page), [], `${where} answer`);
    await shield(page).click();
    await page.getByRole('button', {name: 'Open all'}).click();
    assert.deepEqual(await axe(page), [], `${where} panel`);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wider, false, `${where} scrolls sideways`);
    await look();
  }
});

test('a button that vanishes when pressed does not take the focus with it', async (t) => {
  const {page, look} = await signed_in(t);
  const focused = () => page.evaluate(() => document.activeElement.tagName);
  await ask(page, 'lost');
  await page.getByRole('button', {name: 'Try again'}).click();
  assert.equal(await focused(), 'MAIN');
  await page.locator('.error').waitFor();
  await ask(page, 'hello');
  await shield(page).click();
  await page.getByLabel('Your question').focus();
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({state: 'detached'});
  assert.equal(await focused(), 'TEXTAREA', 'Escape leaves the focus of who is writing');
  await page.getByRole('button', {name: 'New chat'}).click();
  assert.equal(await focused(), 'TEXTAREA');
  await look();
});

test('nothing is promised while the level of the network is not known', async (t) => {
  const {gateway, page, look} = await signed_in(t, {health_level: ''});
  await page.locator('.status').getByText('3 nodes').waitFor();
  assert.equal(await page.locator('.steps').count(), 0);
  assert.ok(!(await page.locator('body').innerText()).includes('verified node'));
  gateway.health_level = 'verified';
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.locator('.status').getByText('3 verified nodes').waitFor();
  assert.equal(await page.locator('.steps li').count(), 3);
  await look();
});

test('models that come later are offered without a reload', async (t) => {
  const {gateway, page, look} = await open(t);
  gateway.models = [];
  await page.goto(gateway.url);
  await page.getByText('The network offers no model right now.').waitFor();
  gateway.models = ['late-model'];
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.getByLabel('Model').waitFor();
  await ask(page, 'hello');
  await shield(page).waitFor();
  await look();
});

test('a hostile model changes nothing but its own text', async (t) => {
  assert.ok(kPayloads.length >= 60);
  const answers = Object.fromEntries(kPayloads.map((payload, i) => [`payload ${i}`, payload]));
  const {page, look} = await signed_in(t, {answers});
  const kAllowed = ['DIV', 'P', 'BR', 'PRE', 'CODE', 'STRONG', 'EM', 'UL', 'OL', 'LI'];
  for (const [i, payload] of kPayloads.entries()) {
    await ask(page, `payload ${i}`);
    const turn = page.locator('.turn').nth(i);
    await turn.locator('.under button.shield').waitFor();
    const seen = await turn.locator('.prose').evaluate((prose) =>
      [prose, ...prose.querySelectorAll('*')].map((el) => ({
        tag: el.tagName,
        names: el.getAttributeNames(),
        classes: el.className,
      })),
    );
    for (const {tag, names, classes} of seen) {
      assert.ok(kAllowed.includes(tag), `${payload}: ${tag}`);
      for (const name of names)
        assert.ok(
          ['class', 'dir', 'start', 'tabindex', 'aria-label'].includes(name),
          `${payload}: ${name}`,
        );
      assert.ok(['', 'prose', 'heading'].includes(classes), `${payload}: ${classes}`);
    }
    const letters = (text) => text.match(/[a-z]/gi)?.join('') ?? '';
    const shown = letters(await turn.locator('.prose').textContent());
    if (!payload.startsWith('```')) assert.equal(shown, letters(payload), payload);
  }
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await look();
});

test('the status line tolerates a silent or lost gateway', async (t) => {
  const {gateway, page, look} = await open(t);
  gateway.healthy = false;
  await page.goto(gateway.url);
  await page.getByText('Gateway does not answer').waitFor();
  await look();
});

test('a network that is not ready says so, and that it is a development network', async (t) => {
  const {gateway, page, look} = await open(t, {level: 'development'});
  gateway.ready = false;
  gateway.refused = [{instance: 'ab12cd34ef56ab12cd34', reason: 'debug_enabled', at: 1795392000}];
  await page.goto(gateway.url);
  await page.locator('.banner').waitFor();
  const status = page.locator('.network summary');
  assert.ok((await status.innerText()).startsWith('Network: waiting'));
  await status.click();
  const card = await page.locator('.card').innerText();
  for (const part of ['cloister-dev', 'ab12cd34ef56', 'debug_enabled', 'nothing was sent']) {
    assert.ok(card.includes(part), part);
  }
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await page.locator('.card').waitFor({state: 'hidden'});
  await look();
});
