// Where a record lies in its family. A client builds the key itself and has proven what lies there.
// The twin of src/ledger/types/keys in C++.
import {type Bytes, join, text_bytes} from '../../sealed/bytes';
import {big_endian, kMaxU64} from './cbor';
import {RecordError} from './codec';
import {sha256, tagged} from './tagged';

// Sub-trees of the state, in the order of their leaves in the application hash.
export const kFamilies = [
  'accounts',
  'assignments',
  'batches',
  'beacon',
  'blocks',
  'checks',
  'collateral',
  'draws',
  'due',
  'instances',
  'jobs',
  'keys',
  'models',
  'operators',
  'outbox',
  'params',
  'platforms',
  'policy',
  'proposals',
  'sessions',
  'standings',
  'validators',
] as const;
export type Family = (typeof kFamilies)[number];

export const kParamsKey = text_bytes('params'); // family params: Params
export const kGenesisKey = text_bytes('genesis'); // family params: Genesis
export const kPolicyKey = text_bytes('current'); // family policy: NetworkPolicy

// accounts, operators: the account. instances, keys, models, sessions, jobs, draws: the id.
export function id_key(id: Uint8Array): Bytes {
  if (id.length !== 32) throw new RecordError('an id has 32 bytes');
  return id.slice();
}

// blocks, beacon: the height. policy: the version.
export function number_key(number: bigint): Bytes {
  if (number < 0n || number > kMaxU64) throw new RecordError('the number is out of its range');
  return big_endian(number, 8);
}

// draws: the pools of a model, frozen at a height.
export function frozen_key(height: bigint, model_root: Uint8Array): Bytes {
  return join(number_key(height), id_key(model_root));
}

// models: the root of the model with this name.
export async function model_name_key(name: string): Promise<Bytes> {
  const hash = await sha256(tagged('cloister model name v1', text_bytes(name)));
  return join(hash, Uint8Array.of(0));
}
