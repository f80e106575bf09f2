// Pictures of every state for a look by eye: node test/shots.mjs DIST FOLDER
import {mkdirSync} from 'node:fs';

import {launch} from './chromium.mjs';
import {start_gateway} from './fake_gateway.mjs';

const [dist, folder] = process.argv.slice(2);
mkdirSync(folder, {recursive: true});
const kQuestion = 'What is a trusted execution environment, and why should I care?';
const kSizes = {wide: {width: 1360, height: 860}, phone: {width: 390, height: 844}};

async function ask(page, text) {
  await page.getByLabel('Your question').fill(text);
  await page.keyboard.press('Enter');
}
const done = (page) => page.locator('.under button.shield').last().waitFor();

const kScenes = {
  empty: async () => {},
  answer: async (page) => {
    await ask(page, kQuestion);
    await done(page);
  },
  panel: async (page) => {
    await ask(page, kQuestion);
    await done(page);
    await page.locator('button.shield').click();
  },
  open: async (page) => {
    await ask(page, kQuestion);
    await done(page);
    await page.locator('button.shield').click();
    await page.locator('[data-check=tcb_status] summary').first().click();
    await page.locator('[data-check=measurement] summary').first().click();
    await page.locator('[data-check=evidence_signature]').scrollIntoViewIfNeeded();
    await page.locator('.panel-body').evaluate((el) => {
      el.scrollTop = 330;
    });
  },
  foot: async (page) => {
    await ask(page, kQuestion);
    await done(page);
    await page.locator('button.shield').click();
    await page.locator('.panel-body').evaluate((el) => {
      el.scrollTop = el.scrollHeight;
    });
  },
  streaming: async (page) => {
    await ask(page, 'hold ' + kQuestion);
    await page.getByText('prove').first().waitFor();
  },
  network: async (page) => {
    await page.locator('.network summary').click();
  },
  error: async (page) => {
    await ask(page, 'unverified question');
    await page.locator('.error').waitFor();
  },
  lost: async (page) => {
    await ask(page, 'lost ' + kQuestion);
    await page.locator('.error').waitFor();
  },
  signin: async (page, gateway) => {
    await page.context().clearCookies();
    await page.goto(gateway.origin + '/?x');
    await page.locator('.sign-in').waitFor();
  },
};

const browser = await launch();
const only = process.argv.slice(4);
for (const level of [
  'verified',
  'development',
  'verified_older_firmware',
  'verified_by_network',
  'failed',
]) {
  const gateway = await start_gateway({dist, level});
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(kSizes)) {
      for (const [scene, play] of Object.entries(kScenes)) {
        const name = `${level}-${scene}-${size}-${scheme}`;
        const main = ['verified', 'development'].includes(level);
        if (!main && (scene !== 'panel' || size !== 'wide')) continue;
        if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
        const page = await browser.newPage({
          viewport,
          colorScheme: scheme,
          reducedMotion: 'reduce',
        });
        await page.goto(gateway.url);
        await page.getByLabel('Your question').waitFor();
        await page.locator('.status.good').waitFor();
        await play(page, gateway);
        await page.screenshot({path: `${folder}/${name}.png`});
        await page.close();
      }
    }
  }
  await gateway.close();
}
await browser.close();
