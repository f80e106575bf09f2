// Debian's Chromium for the tests: found, never downloaded.
import {accessSync, constants} from 'node:fs';

import {chromium} from 'playwright-core';

const kPlaces = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

export function find_chromium() {
  return kPlaces.find((path) => {
    if (!path) return false;
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function launch() {
  const as_root = process.getuid?.() === 0; // Chromium refuses its sandbox to root
  return chromium.launch({executablePath: find_chromium(), chromiumSandbox: !as_root});
}
