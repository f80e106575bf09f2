// The seam to verification. The state machine decides what evidence must be bound to, how old it
// may be and what follows from the verdict; whoever builds the State hands in how evidence and
// collateral are verified. Every node must hand in the same pure function.
#pragma once

#include <expected>
#include <functional>

#include "base/seams.h"
#include "ledger/types/collateral.h"
#include "ledger/types/genesis.h"
#include "ledger/types/instance.h"

namespace cloister::ledger {

struct AdmissionInput {
  std::span<const EvidenceItem> evidence;  // at least one
  Fixed<64> report_data{};                 // that each CPU's item must carry
  std::optional<Hash32> gpu_nonce;         // that GPUs must answer; nothing: there may be none
  CollateralLookup collateral;
  const Genesis& genesis;  // development anchors
  const NetworkPolicy& policy;
  uint64_t height = 0;
  UnixSeconds now = 0;  // time of the block
};

// What the ledger keeps of admitted evidence: one of each an item, in order, but for the GPUs,
// which are one a device.
struct Admitted {
  std::vector<Platform> platforms;
  std::vector<Buffer> standings;  // for `standing_judge`
};

// What vendors say by now of a platform that was admitted: Code::ok, and its status, advisories and
// evaluation number become today's; or Code evidence_*, and it stays as it was.
struct StandingVerdict {
  Code code = Code::ok;
  bool key_revoked = false;  // the vendor took back this one machine's key
};
using StandingJudge = std::function<StandingVerdict(Platform& platform, Bytes standing)>;

class AdmissionVerifier {
 public:
  virtual ~AdmissionVerifier() = default;

  // Or the first refusal: Code evidence_* or policy_*.
  virtual std::expected<Admitted, Code> admit(const AdmissionInput& input) const = 0;

  // Whether a policy still allows a platform that was admitted: Code::ok, or Code policy_*.
  virtual Code reassess(const Platform& platform, const NetworkPolicy& policy,
                        uint64_t height) const = 0;

  // Whether the vendor's chain signs the first of `files`, now. Fills every member of the record
  // but `files`; or collateral_malformed, _unverified, _not_current.
  virtual std::expected<CollateralRecord, Code> verify_collateral(std::span<const Buffer> files,
                                                                  const Genesis& genesis,
                                                                  UnixSeconds now) const = 0;

  // Whether `later`, in the place of `earlier`, can change what any platform is worth. Vendors
  // issue the same statement again and again, and then nothing has to be judged.
  virtual bool changes_standing(const CollateralRecord& earlier,
                                const CollateralRecord& later) const = 0;

  // Judges by what the ledger holds while the judge is asked. For one thread.
  virtual StandingJudge standing_judge(CollateralLookup collateral) const = 0;
};

}  // namespace cloister::ledger
