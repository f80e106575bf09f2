// What a network starts from, out of its JSON; its hash is what clients pin. The twin of
// src/ledger/types/genesis in C++. Refuses unknown and missing members, values out of bounds, and
// the faults of a genesis that a client relies on: its chain id, models, validators, and marks of
// development. It leaves the network's parameters, accounts, points of the beacon and policy to the
// nodes, which refuse to start from them: with the pinned hash they are those that nodes run.
import type {Bytes} from '../../sealed/bytes';
import {
  ascending,
  boolean,
  encode,
  hash32,
  list,
  listed,
  optional,
  record,
  RecordError,
  text,
  u16,
  u32,
  u64,
  type ValueOf,
} from './codec';
import {parse_json} from './json';
import {
  kMaxAnchors,
  kMaxChainIdBytes,
  kMaxGenesisAccounts,
  kMaxGenesisModels,
  kMaxReleaseKeys,
  kMaxValidators,
} from './limits';
import {kModel, kNetworkPolicy, kParams} from './params';
import {sha256, tagged} from './tagged';

const kMaxPower = 1n << 48n;

const kValidator = record({
  public_key: hash32,
  power: u64,
  operator_account: optional(hash32),
});

const kBeaconKeys = record({
  setup: listed({dealer: 1}),
  epoch: u64,
  threshold: u16,
  public_keys: list(hash32, kMaxValidators),
});

export const kGenesis = record({
  chain_id: text(kMaxChainIdBytes),
  time_ms: u64,
  embedded: boolean, // one local sequencer, not validators: clients show it as development
  development: boolean, // simulated platforms may be admitted: clients say so everywhere
  development_intel: list(hash32, kMaxAnchors),
  development_amd: list(hash32, kMaxAnchors),
  params: kParams,
  accounts: list(record({account: hash32, balance_micro: u64}), kMaxGenesisAccounts),
  models: list(kModel, kMaxGenesisModels),
  policy: kNetworkPolicy,
  validators: list(kValidator, kMaxValidators),
  beacon: kBeaconKeys,
  release_keys: list(hash32, kMaxReleaseKeys),
  release_threshold: u32,
  development_nvidia: list(hash32, kMaxAnchors),
});
export type Genesis = ValueOf<typeof kGenesis>;

function models_valid(genesis: Genesis): boolean {
  const names = new Set(genesis.models.map((model) => model.name));
  const roots = genesis.models.map((model) => model.root);
  return ascending(roots) && names.size === genesis.models.length && !names.has('');
}

// Of equal power and, where they order blocks, each of an operator.
function validators_valid(genesis: Genesis): boolean {
  const power = genesis.validators[0]?.power ?? 0n;
  if (power === 0n || power > kMaxPower) return false;
  const each = genesis.validators.every(
    (validator) =>
      validator.power === power &&
      (validator.operator_account === undefined) === genesis.embedded,
  );
  return each && ascending(genesis.validators.map((validator) => validator.public_key));
}

function beacon_valid({beacon, validators}: Genesis): boolean {
  const threshold = Math.floor((validators.length - 1) / 3) + 1;
  return beacon.public_keys.length === validators.length && beacon.threshold === threshold;
}

function development_valid(genesis: Genesis): boolean {
  const {development_intel, development_amd, development_nvidia} = genesis;
  const anchors = [development_intel, development_amd, development_nvidia].flat();
  return genesis.development || (anchors.length === 0 && !genesis.policy.allow_development);
}

function check(genesis: Genesis): void {
  const rules: [boolean, string][] = [
    [genesis.chain_id !== '', 'the chain id is empty'],
    [models_valid(genesis), 'the models are not sorted or repeat a name'],
    [validators_valid(genesis), 'the validators are not sorted or of unequal power'],
    [beacon_valid(genesis), "the beacon's keys do not fit the validators"],
    [development_valid(genesis), 'development anchors need a development network'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken !== undefined) throw new RecordError(broken[1]);
}

export function genesis_from_json(json: string): Genesis {
  const out = kGenesis.from_json(parse_json(json));
  check(out);
  return out;
}

// SHA-256("cloister genesis v1" ‖ 00 ‖ CBOR).
export function genesis_hash(genesis: Genesis): Promise<Bytes> {
  return sha256(tagged('cloister genesis v1', encode(kGenesis, genesis)));
}
