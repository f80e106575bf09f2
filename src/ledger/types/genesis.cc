#include "ledger/types/genesis.h"

#include <algorithm>
#include <set>

#include "ledger/types/account.h"
#include "ledger/types/beacon.h"
#include "ledger/types/codec.h"
#include "ledger/types/domain.h"
#include "ledger/types/governance.h"

namespace cloister::ledger {
namespace {

bool accounts_valid(const Genesis& g) {
  uint64_t total = 0;
  for (size_t i = 0; i < g.accounts.size(); ++i) {
    const GenesisAccount& entry = g.accounts[i];
    if (i > 0 && !(g.accounts[i - 1].account < entry.account)) return false;
    if (entry.account == treasury_account()) return false;
    if (entry.balance_micro > UINT64_MAX - total) return false;
    total += entry.balance_micro;
  }
  const uint64_t stakes = g.embedded ? 0 : g.validators.size();
  return stakes == 0 || g.params.validator_stake_micro <= (UINT64_MAX - total) / stakes;
}

bool models_valid(const Genesis& g) {
  std::set<std::string, std::less<>> names;
  for (size_t i = 0; i < g.models.size(); ++i) {
    const Model& model = g.models[i];
    if (i > 0 && !(g.models[i - 1].root < model.root)) return false;
    if (!valid(model, g.params) || !names.insert(model.name).second) return false;
  }
  return true;
}

// Equal power, so that every two-thirds commit holds enough shares of the beacon.
bool validators_valid(const Genesis& g) {
  std::set<AccountId> operators{treasury_account()};
  for (size_t i = 0; i < g.validators.size(); ++i) {
    const Validator& v = g.validators[i];
    if (v.power == 0 || v.power != g.validators[0].power) return false;
    if (v.power > (uint64_t{1} << 48)) return false;  // 256 of them stay below 2^60
    if (i > 0 && !(g.validators[i - 1].public_key < v.public_key)) return false;
    if (v.operator_account.has_value() == g.embedded) return false;
    if (v.operator_account && !operators.insert(*v.operator_account).second) return false;
  }
  return !g.validators.empty();
}

bool beacon_valid(const Genesis& g) {
  const auto& keys = g.beacon.public_keys;
  return keys.size() == g.validators.size() &&
         g.beacon.threshold == beacon_threshold(keys.size()) &&
         std::all_of(keys.begin(), keys.end(), valid_beacon_key);
}

bool development_valid(const Genesis& g) {
  return g.development || (g.development_intel.empty() && g.development_amd.empty() &&
                           g.development_nvidia.empty() && !g.policy.allow_development);
}

bool release_keys_valid(const Genesis& g) {
  for (size_t i = 1; i < g.release_keys.size(); ++i) {
    if (!(g.release_keys[i - 1] < g.release_keys[i])) return false;
  }
  const size_t least = g.release_keys.empty() ? 0 : 1;
  return g.release_threshold >= least && g.release_threshold <= g.release_keys.size();
}

bool policy_valid(const Genesis& g) {
  const PolicyLayers layers = layers_of(g.policy);
  return PolicyLayers::decode(layers.encode()).has_value() &&
         std::all_of(layers.restrictions.begin(), layers.restrictions.end(),
                     [](const Restriction& r) { return valid(r); }) &&
         merged(layers, g.policy.version, 0) == g.policy &&
         g.policy.encode().size() <= kMaxPolicyBytes;
}

}  // namespace

Hash32 Genesis::hash() const {
  return crypto::sha256(tagged("cloister genesis v1").bytes(encode()).view());
}

std::string_view describe(GenesisError error) {
  switch (error) {
    case GenesisError::not_json:
      return "the genesis is not JSON";
    case GenesisError::wrong_shape:
      return "the genesis lacks a member or has an unknown one";
    case GenesisError::chain_id:
      return "the chain id is empty";
    case GenesisError::params:
      return "a parameter is out of its range";
    case GenesisError::accounts:
      return "the accounts are not sorted, reserved or too rich";
    case GenesisError::models:
      return "the models are not sorted, repeat a name or lack an owner";
    case GenesisError::validators:
      return "the validators are not sorted, of unequal power or not each of an operator of its "
             "own";
    case GenesisError::beacon:
      return "the beacon's keys do not fit the validators";
    case GenesisError::release_keys:
      return "the release keys are not sorted or their threshold cannot be met";
    case GenesisError::policy:
      return "the policy repeats itself or is too large";
    case GenesisError::development:
      return "development anchors need a development network";
  }
  return "unknown";
}

std::expected<void, GenesisError> check(const Genesis& g) {
  if (g.chain_id.empty()) return std::unexpected(GenesisError::chain_id);
  if (!valid(g.params)) return std::unexpected(GenesisError::params);
  if (!accounts_valid(g)) return std::unexpected(GenesisError::accounts);
  if (!models_valid(g)) return std::unexpected(GenesisError::models);
  if (!validators_valid(g)) return std::unexpected(GenesisError::validators);
  if (!beacon_valid(g)) return std::unexpected(GenesisError::beacon);
  if (!release_keys_valid(g)) return std::unexpected(GenesisError::release_keys);
  if (!policy_valid(g)) return std::unexpected(GenesisError::policy);
  if (!development_valid(g)) return std::unexpected(GenesisError::development);
  return {};
}

std::expected<Genesis, GenesisError> genesis_from_json(std::string_view text) {
  JsonLimits limits;
  limits.max_bytes = 8 << 20;
  const auto json = parse_json(text, limits);
  if (!json) return std::unexpected(GenesisError::not_json);
  auto genesis = Genesis::from_json(*json);
  if (!genesis) return std::unexpected(GenesisError::wrong_shape);
  if (auto checked = check(*genesis); !checked) return std::unexpected(checked.error());
  return std::move(*genesis);
}

template struct Record<GenesisAccount>;
template struct Record<Validator>;
template struct Record<BeaconKeys>;
template struct Record<Genesis>;

}  // namespace cloister::ledger
