// The network that several test files share; run.mjs starts and stops it.
import assert from 'node:assert/strict';

const given = process.env.CLOISTER_E2E_NETWORK;
assert.ok(given, 'run me through run.mjs');

export const network = JSON.parse(given); // page, api, origin, token

export async function get(path) {
  const response = await fetch(network.origin + path, {
    headers: {authorization: `Bearer ${network.token}`},
  });
  assert.equal(response.status, 200, path);
  return response.json();
}
