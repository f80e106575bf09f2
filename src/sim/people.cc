#include "sim/people.h"

#include <algorithm>
#include <map>

#include "ledger/types/binding.h"
#include "sim/simulated_admission.h"

namespace cloister::sim {
namespace {

using namespace ledger;

constexpr uint64_t kUserFunds = 10'000'000'000;

Conduct conduct_of(const EconomyOptions& options, size_t i) {
  const size_t dishonest = options.operators * options.dishonest_permille / 1000;
  return i < dishonest ? static_cast<Conduct>(1 + i % (kConducts - 1)) : Conduct::honest;
}

// What it holds, stake included, less what it began with and what its work cost it.
int64_t profit_of(const Participant& p, const Operator& op, const Chain& chain) {
  uint64_t holds = chain.read<Account>(Family::accounts, p.key.public_key())->balance_micro +
                   op.stake_micro + op.check_reserve_micro;
  for (const Unbonding& part : op.unbonding) holds += part.amount_micro;
  return static_cast<int64_t>(holds) - static_cast<int64_t>(kOperatorFunds) -
         static_cast<int64_t>(p.cost_micro);
}

std::map<AccountId, size_t> failed_checks(const Chain& chain) {
  std::map<AccountId, size_t> out;
  chain.state().store().for_each(Family::checks, {}, [&](Bytes, Bytes value) {
    const auto check = Check::decode(value);
    out[check->operator_account] +=
        check->outcome == CheckOutcome::failed || check->outcome == CheckOutcome::unopened;
    return true;
  });
  return out;
}

}  // namespace

Hash32 name_hash(std::string_view what, uint64_t number) {
  return crypto::sha256(ByteWriter().text(what).u64_be(number).view());
}

crypto::Ed25519Key key_for(std::string_view what, uint64_t number) {
  return crypto::Ed25519Key::from_seed(Secret<32>(name_hash(what, number)));
}

std::vector<Participant> make_participants(const EconomyOptions& options) {
  std::vector<Participant> out;
  for (size_t i = 0; i < options.operators; ++i) {
    out.push_back({conduct_of(options, i), static_cast<uint32_t>(i), key_for("operator", i),
                   key_for("identity", i)});
  }
  return out;
}

std::vector<crypto::Ed25519Key> make_users(const EconomyOptions& options) {
  std::vector<crypto::Ed25519Key> out;
  const size_t count = std::max<size_t>(10, 8 * options.sessions_a_block);
  for (size_t i = 0; i < count; ++i) out.push_back(key_for("user", i));
  return out;
}

Genesis make_genesis(const std::vector<crypto::Ed25519Key>& users,
                     const std::vector<Participant>& people, const crypto::Ed25519Key& validator,
                     BeaconKeys beacon) {
  Genesis g;
  g.chain_id = "cloister-economy";
  g.time_ms = 1'700'000'000'000;
  g.embedded = g.development = true;
  g.params = economy_params();
  const auto fund = [&](const AccountId& account, uint64_t amount) {
    GenesisAccount entry;
    entry.account = account;
    entry.balance_micro = amount;
    g.accounts.push_back(entry);
  };
  for (const auto& user : users) fund(user.public_key(), kUserFunds);
  for (const Participant& p : people) fund(p.key.public_key(), kOperatorFunds);
  std::sort(g.accounts.begin(), g.accounts.end(),
            [](const auto& a, const auto& b) { return a.account < b.account; });
  Model model;
  model.root = name_hash("model", 0);
  model.name = "model";
  g.models = {model};
  g.policy.allow_development = true;
  Validator entry;
  entry.public_key = validator.public_key();
  entry.power = 10;
  g.validators = {entry};
  g.beacon = std::move(beacon);
  return g;
}

RegisterInstance registration_of(const Participant& p, const Chain& chain) {
  const Genesis& genesis = chain.state().genesis();
  Claims claims;
  claims.instance_id = instance_id_of(p.identity.public_key());
  claims.spki_sha256 = name_hash("spki", p.machine);
  claims.key_config_sha256 = name_hash("keys", p.machine);
  claims.models = {genesis.models[0].root};
  Registration r;
  r.identity_key = p.identity.public_key();
  r.claims = claims.encode();
  r.block_height = chain.height();
  r.block_hash = Chain::block_hash(r.block_height);
  r.evidence = {
      SimulatedAdmission::evidence(registration_binding(genesis.chain_id, p.key.public_key(),
                                                        r.block_hash, r.block_height, claims),
                                   p.machine)};
  r.endpoint = "node.example:8443";
  Offer offer;
  offer.model_root = genesis.models[0].root;
  offer.price_micro = kPriceMicro;
  r.offers = {offer};
  r.capacity = kMaxCapacity;
  return sign_registration(r, genesis.chain_id, p.key.public_key(), p.identity);
}

std::vector<ConductReport> conducts_of(const std::vector<Participant>& people, const Chain& chain) {
  std::map<Conduct, ConductReport> rows;
  std::map<Conduct, int64_t> sums;
  const auto failed = failed_checks(chain);
  for (const Participant& p : people) {
    const auto op = *chain.read<Operator>(Family::operators, p.key.public_key());
    const int64_t profit = profit_of(p, op, chain);
    ConductReport& row = rows[p.conduct];
    row.least_profit_micro = row.operators == 0 ? profit : std::min(row.least_profit_micro, profit);
    row.most_profit_micro = row.operators == 0 ? profit : std::max(row.most_profit_micro, profit);
    row.conduct = p.conduct;
    row.operators += 1;
    row.sessions += p.sessions;
    const auto found = failed.find(p.key.public_key());
    row.failed_checks += found == failed.end() ? 0 : found->second;
    row.slashed_micro += op.slashed_micro;
    sums[p.conduct] += profit;
  }
  std::vector<ConductReport> out;
  for (auto& [conduct, row] : rows) {
    row.mean_profit_micro = sums[conduct] / static_cast<int64_t>(row.operators);
    out.push_back(row);
  }
  return out;
}

}  // namespace cloister::sim
