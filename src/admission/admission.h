// The one judgement of an instance's evidence, used unchanged by the ledger when it admits an
// instance, by the gateway before it sends a byte, and by `cloister verify-receipt` afterwards:
// records of the ledger become the verifier's inputs, and what verification established meets the
// policy in force.
//
// Pure: collateral, policy, binding, time and height are arguments.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "evidence/verifier.h"
#include "ledger/types/collateral.h"
#include "ledger/types/genesis.h"
#include "ledger/types/instance.h"
#include "policy/policy.h"

namespace cloister::admission {

// Vendor keys compiled in, and the genesis's development keys where it is marked so.
evidence::TrustAnchors anchors_of(const ledger::Genesis& genesis);

policy::Rules rules_of(const ledger::NetworkPolicy& policy);

// For whoever has the records at hand, which must outlive the lookup.
ledger::CollateralLookup lookup_in(std::span<const ledger::CollateralRecord> records);

enum class Refusal : uint8_t {
  none = 0,
  evidence_absent = 1,      // no item, or more than kMaxEvidenceItems
  collateral_unusable = 2,  // records that it needs hold what is no collateral, or too much of it
  evidence_refused = 3,     // by the verifier: see the item's appraisal
  policy_refused = 4,       // by policy: see the item's decision
};
std::string_view name(Refusal refusal);

// One platform's verdict, in the order of the items; GPUs have one for each device. `decision` is
// empty when verification already refused.
struct ItemVerdict {
  evidence::Verification verification;
  policy::Decision decision;
};

struct Judgement {
  std::vector<ItemVerdict> items;
  Refusal refusal = Refusal::none;
  bool admitted() const { return refusal == Refusal::none; }
  bool development() const;
  // The verifier's error or policy's reason that decided, where there is one.
  std::optional<evidence::Error> evidence_error() const;
  std::optional<policy::Reason> policy_reason() const;
};

// Collateral that was taken apart before, by its bytes: for whoever judges much evidence against
// the same records. It changes no verdict, only its cost. May be used by several threads.
class CollateralMemory {
 public:
  using Prepared = std::shared_ptr<const evidence::PreparedCollateral>;

  // Null when the files are no collateral, or more of it than a verifier takes.
  Prepared prepare(std::span<const Buffer* const> files);
  const evidence::dcap::PckChains& chains() const { return *chains_; }

 private:
  struct Known {
    Hash32 key{};
    Prepared prepared;
  };
  const std::shared_ptr<const evidence::dcap::PckChains> chains_ =
      std::make_shared<const evidence::dcap::PckChains>();
  std::mutex mutex_;
  std::deque<Known> known_;  // the oldest of too many is forgotten
};
constexpr size_t kMaxRemembered = 16;

struct Question {
  std::span<const ledger::EvidenceItem> evidence;
  ledger::CollateralLookup collateral;  // what the ledger holds
  const evidence::TrustAnchors& anchors;
  const policy::LayeredRules& rules;
  evidence::Binding binding;  // what every item's report data must be
  UnixSeconds now = 0;
  uint64_t height = 0;          // of the ledger, for releases
  std::string_view chain_id{};  // on which machines have their names
  CollateralMemory* memory = nullptr;
  std::optional<Hash32> gpu_nonce{};  // what GPUs must answer; nothing: there may be none
};

// Every item must verify and satisfy policy; one failure fails the whole, whichever it is. An
// unknown format is refused by the verifier, as `unsupported`. The last item, and no other, may be
// the machine's GPUs (gpus.h); they vouch for nothing without a CPU before them.
//
// Only those records are looked at that the item needs, by the names they verified under: no other
// vendor's objects can change the verdict. A VLEK report does not name its key's certificate and is
// refused as `collateral_missing`.
Judgement judge(const Question& question);

// What policy makes of one platform, once it is verified.
policy::Decision decision_on(const evidence::VerifiedEvidence& verified, const Question& question);

// What the ledger keeps of an admitted item, and what policy asks of it later.
ledger::Platform platform_of(const evidence::VerifiedEvidence& verified, std::string_view chain_id);
policy::Established established_of(const ledger::Platform& platform);

}  // namespace cloister::admission
