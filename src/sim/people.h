// Who lives in a simulated economy: users, operators and how they behave.
#pragma once

#include <vector>

#include "ledger/types/beacon.h"
#include "ledger/types/bodies.h"
#include "sim/chain.h"
#include "sim/economy.h"

namespace cloister::sim {

constexpr uint64_t kOperatorFunds = 100'000'000;  // of each at the start
constexpr uint64_t kStake = 5'000'000;            // of each, as long as it can pay
constexpr uint64_t kMaxUnits = 1'000;             // of a session
constexpr uint64_t kPriceMicro = 2'400'000;       // so that reference_units pay answer_pay

Hash32 name_hash(std::string_view what, uint64_t number);
crypto::Ed25519Key key_for(std::string_view what, uint64_t number);

struct Participant {
  Conduct conduct{};
  uint32_t machine = 0;
  crypto::Ed25519Key key;
  crypto::Ed25519Key identity;
  ledger::InstanceId instance{};  // the last that it registered
  uint32_t identities = 1;
  uint64_t cost_micro = 0;  // of its work so far
  size_t sessions = 0;

  bool lies() const { return conduct == Conduct::lazy || conduct == Conduct::re_registering; }
};

std::vector<Participant> make_participants(const EconomyOptions& options);
std::vector<crypto::Ed25519Key> make_users(const EconomyOptions& options);
// One model, one validator, everybody funded.
ledger::Genesis make_genesis(const std::vector<crypto::Ed25519Key>& users,
                             const std::vector<Participant>& people,
                             const crypto::Ed25519Key& validator, ledger::BeaconKeys beacon);
// With evidence bound to the last block of `chain`.
ledger::RegisterInstance registration_of(const Participant& participant, const Chain& chain);

// What each conduct came to.
std::vector<ConductReport> conducts_of(const std::vector<Participant>& people, const Chain& chain);

}  // namespace cloister::sim
