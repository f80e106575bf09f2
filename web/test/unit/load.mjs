import {fileURLToPath} from 'node:url';

import {runnerImport} from 'vite';

const kRoot = fileURLToPath(new URL('../..', import.meta.url));

// A TypeScript module of the page, as it is in src/.
export async function load(name) {
  const options = {configFile: false, root: kRoot, logLevel: 'error'};
  return (await runnerImport(`./src/${name}`, options)).module;
}
