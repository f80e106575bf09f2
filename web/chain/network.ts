// The network that the page talks to: its genesis, the ledger's endpoints and the blob server, from
// `network.json` beside the page or as the user gives them. Refuses what is not of that form, and
// one endpoint alone where the network is more than one computer.
import {type Genesis, genesis_from_json, genesis_hash} from './ledger';
import type {Bytes} from '../sealed/bytes';

export interface Network {
  genesis: Genesis;
  hash: Bytes; // of the genesis: what a user compares with what others know
  endpoints: string[];
  blobs: string | undefined;
}

export class NetworkError extends Error {}

interface Raw {
  genesis: string; // the genesis file's text: its numbers are larger than JavaScript's
  endpoints: string[];
  blobs: string | null;
}

function is_raw(value: unknown): value is Raw {
  if (typeof value !== 'object' || value === null) return false;
  const {genesis, endpoints, blobs} = value as Record<string, unknown>;
  const texts = Array.isArray(endpoints) && endpoints.every((one) => typeof one === 'string');
  return typeof genesis === 'string' && texts && (typeof blobs === 'string' || blobs === null);
}

export async function network_from_json(text: string): Promise<Network> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new NetworkError('the description of the network is not JSON');
  }
  if (!is_raw(raw)) throw new NetworkError('the description of the network is not complete');
  const genesis = genesis_from_json(raw.genesis);
  if (raw.endpoints.length < 2 && !genesis.development) {
    throw new NetworkError('a ledger needs at least two endpoints, which are compared');
  }
  const hash = await genesis_hash(genesis);
  return {genesis, hash, endpoints: raw.endpoints, blobs: raw.blobs ?? undefined};
}

// What the page's own server says; undefined on a host that has none.
export async function network_beside_page(): Promise<Network | undefined> {
  const response = await fetch('./network.json', {cache: 'no-store'});
  if (!response.ok) return undefined;
  return network_from_json(await response.text());
}
