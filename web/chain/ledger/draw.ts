// What the ledger keeps of draws and of the network's randomness: the twins of
// src/ledger/types/{draw,beacon}.h in C++. Decides only the form; whether a draw was right and a
// beacon true is not checked here.
import {buffer, hash32, list, optional, record, u16, u64, u8, type ValueOf} from './codec';
import {kMaxDrawTries, kMaxPoolsPerModel, kMaxValidators} from './limits';

const kMaxDepth = 256;
const kMaxSumProofBytes = 2 + 32 + 40 * kMaxDepth + 1 + 48;

export const kPoolKey = record({
  model_root: hash32,
  formats: u16,
  statuses: u16,
  price_octave: u8,
});
export type PoolKey = ValueOf<typeof kPoolKey>;

export const kPool = record({key: kPoolKey, root: hash32, total: u64});
export type Pool = ValueOf<typeof kPool>;

// All pools of one model at the end of block `height`.
export const kFrozenPools = record({height: u64, pools: list(kPool, kMaxPoolsPerModel)});
export type FrozenPools = ValueOf<typeof kFrozenPools>;

const kDrawTry = record({
  instance: hash32,
  places: list(buffer(kMaxSumProofBytes), kMaxPoolsPerModel),
});

// How a session came to its instance.
export const kDrawn = record({height: u64, tries: list(kDrawTry, kMaxDrawTries)});
export type Drawn = ValueOf<typeof kDrawn>;

const kBeaconShare = record({index: u16, point: hash32, challenge: hash32, response: hash32});

export const kBeacon = record({
  height: u64,
  shares: list(kBeaconShare, kMaxValidators),
  value: optional(hash32),
});
export type Beacon = ValueOf<typeof kBeacon>;
