// What a vendor's newest collateral makes of platforms whose evidence was accepted before. Their
// evidence is not needed, and no signature is checked: both were, when they came.
#pragma once

#include <map>
#include <memory>

#include "evidence/collateral.h"

namespace cloister::evidence {

// An object that `verify_collateral` accepted when it came, by the name that it then had.
struct HeldCollateral {
  CollateralName name;
  std::span<const Buffer> files;
};

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

// Takes the collateral apart once, for many standings. May be used by several threads.
class StandingJudge {
 public:
  explicit StandingJudge(std::span<const HeldCollateral> collateral);
  ~StandingJudge();

  // What `verify` finds now in the evidence that left this standing, but for what cannot have
  // changed, and for two things that the ledger asks when collateral comes: that it is current, and
  // that one signer signs all of it (while a vendor changes signers, documents of both count).
  //
  // Refuses, in this order: `malformed`; `collateral_missing`; `revoked`: a certificate of the
  // platform or a signer of its documents; `identity_mismatch`; `no_tcb_level`; `tcb_status` when
  // the platform's level is revoked.
  std::expected<Restanding, Fall> judge(const Standing& standing) const;

 private:
  struct Object;
  const Object* find(const CollateralName& name) const;
  std::expected<Restanding, Fall> judge_intel(const Standing& standing) const;
  bool signer_revoked(const Object& document, const Object& root_list) const;

  std::map<CollateralName, std::unique_ptr<const Object>> objects_;
};

// Whether `later`, which took the place of `earlier` under one name, judges every standing alike:
// it is a newer issue of the same statement. False when either cannot be read.
bool judges_alike(std::span<const Buffer> earlier, std::span<const Buffer> later);

}  // namespace cloister::evidence
