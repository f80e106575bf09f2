// What a vendor's newest collateral makes of platforms whose evidence was accepted before. Their
// evidence is not needed, and no signature is checked: both were, when they came.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "evidence/collateral.h"

namespace cloister::evidence {

// The files that `verify_collateral` accepted under this name, the newest of them; nothing when
// none came.
using HeldCollateral = std::function<std::optional<std::vector<Buffer>>(const CollateralName&)>;

struct Restanding {
  TcbStatus status{};
  std::vector<std::string> advisories;  // sorted, unique
  uint64_t tcb_evaluation_number = 0;   // Intel; 0 for AMD
  bool operator==(const Restanding&) const = default;
};

struct Fall {
  Error error{};
  bool key_revoked = false;  // the machine's own certificate: the vendor's word against this one
  bool operator==(const Fall&) const = default;
};

// Takes each piece of collateral apart once, when a standing first asks for it. For one thread.
class StandingJudge {
 public:
  explicit StandingJudge(HeldCollateral collateral);
  ~StandingJudge();

  // What `verify` finds now in the evidence that left this standing, but for what cannot have
  // changed, and for two things that the ledger asks when collateral comes: that it is current, and
  // that one signer signs all of it (while a vendor changes signers, documents of both count).
  //
  // Refuses, in this order: `malformed`; `collateral_missing`; `revoked`: a certificate of the
  // platform or a signer of its documents; `identity_mismatch`; `no_tcb_level`; `tcb_status` when
  // the platform's level is revoked; `measurement_mismatch` when a manifest has other goldens than
  // those that the device was compared with, which only its evidence can meet again.
  std::expected<Restanding, Fall> judge(const Standing& standing);

 private:
  struct Object;
  const Object* find(const CollateralName& name);
  std::expected<void, Fall> check_lists(const Standing& standing);
  std::expected<void, Fall> check_answers(const Standing& standing);
  std::expected<void, Fall> check_signers(const std::vector<CollateralName>& answers);
  std::expected<Restanding, Fall> judge_intel(const Standing& standing);
  std::expected<Restanding, Fall> judge_nvidia(const Standing& standing);
  bool signer_revoked(const Object& document, const Object& root_list) const;

  const HeldCollateral collateral_;
  std::map<CollateralName, std::unique_ptr<const Object>> objects_;  // null: not held
};

// Whether `later`, which took the place of `earlier` under one name, judges every standing alike:
// it is a newer issue of the same statement. False when either cannot be read.
bool judges_alike(std::span<const Buffer> earlier, std::span<const Buffer> later);

}  // namespace cloister::evidence
