#include "ledger/admit/verifier.h"

#include <algorithm>

#include "admission/admission.h"
#include "evidence/standing.h"

namespace cloister::ledger {
namespace {

using evidence::CollateralError;

constexpr uint32_t kEvidenceCodes = 100;  // ledger/types/enums.h
constexpr uint32_t kPolicyCodes = 130;
static_assert(kMaxStandingBytes == evidence::kMaxStandingBytes);
static_assert(Code{kEvidenceCodes + static_cast<uint32_t>(evidence::Error::malformed)} ==
              Code::evidence_malformed);
static_assert(Code{kEvidenceCodes + static_cast<uint32_t>(evidence::Error::nonce_mismatch)} ==
              Code::evidence_nonce_mismatch);
static_assert(Code{kPolicyCodes + static_cast<uint32_t>(policy::Reason::tcb_status)} ==
              Code::policy_tcb_status);
static_assert(Code{kPolicyCodes + static_cast<uint32_t>(policy::Reason::development)} ==
              Code::policy_development);
static_assert(Code{kPolicyCodes + static_cast<uint32_t>(policy::Reason::platform)} ==
              Code::policy_platform);

Code code_of(evidence::Error error) {
  return Code{kEvidenceCodes + static_cast<uint32_t>(error)};
}
Code code_of(policy::Reason reason) {
  return Code{kPolicyCodes + static_cast<uint32_t>(reason)};
}

Code code_of(CollateralError error) {
  switch (error) {
    case CollateralError::malformed:
      return Code::collateral_malformed;
    case CollateralError::unverified:
      return Code::collateral_unverified;
    case CollateralError::not_current:
      return Code::collateral_not_current;
  }
  std::abort();
}

Code code_of(const admission::Judgement& judgement) {
  if (const auto error = judgement.evidence_error()) return code_of(*error);
  if (const auto reason = judgement.policy_reason()) return code_of(*reason);
  return judgement.refusal == admission::Refusal::evidence_absent ? Code::evidence_absent
                                                                  : Code::collateral_cannot_judge;
}

class Verifier final : public AdmissionVerifier {
 public:
  std::expected<Admitted, Code> admit(const AdmissionInput& input) const override;
  Code reassess(const Platform& platform, const NetworkPolicy& policy,
                uint64_t height) const override;
  std::expected<CollateralRecord, Code> verify_collateral(std::span<const Buffer> files,
                                                          const Genesis& genesis,
                                                          UnixSeconds now) const override;
  bool changes_standing(const CollateralRecord& earlier,
                        const CollateralRecord& later) const override;
  StandingJudge standing_judge(CollateralLookup collateral) const override;

 private:
  mutable admission::CollateralMemory memory_;
};

// Vendors bound their lists of advisories less tightly than records do, and a record that does not
// decode would stop every node.
bool fits_record(const Platform& platform) {
  return Platform::decode(platform.encode()) == platform;
}

std::expected<Admitted, Code> Verifier::admit(const AdmissionInput& input) const {
  const auto anchors = admission::anchors_of(input.genesis);
  const auto rules = policy::layered(admission::rules_of(input.policy));
  const auto binding = evidence::Binding::report_data(input.report_data);
  const auto judgement =
      admission::judge({input.evidence, input.collateral, anchors, rules, binding, input.now,
                        input.height, input.genesis.chain_id, &memory_, input.gpu_nonce});
  if (!judgement.admitted()) return std::unexpected(code_of(judgement));
  if (judgement.items.size() > kMaxPlatformsPerInstance) {
    return std::unexpected(Code::evidence_unsupported);
  }
  Admitted out;
  for (const auto& item : judgement.items) {
    const auto& verified = *item.verification.verified;
    out.platforms.push_back(admission::platform_of(verified, input.genesis.chain_id));
    if (!fits_record(out.platforms.back())) return std::unexpected(Code::evidence_unsupported);
    const auto& standing = verified.standing();
    out.standings.push_back(standing ? standing->encode() : Buffer{});
  }
  return out;
}

Code Verifier::reassess(const Platform& platform, const NetworkPolicy& policy,
                        uint64_t height) const {
  const auto rules = policy::layered(admission::rules_of(policy));
  const auto decision = policy::decide_again(admission::established_of(platform), rules, height);
  const auto reason = decision.first_refusal();
  return reason ? code_of(*reason) : Code::ok;
}

std::expected<CollateralRecord, Code> Verifier::verify_collateral(std::span<const Buffer> files,
                                                                  const Genesis& genesis,
                                                                  UnixSeconds now) const {
  const auto facts = evidence::verify_collateral(files, admission::anchors_of(genesis), now);
  if (!facts) return std::unexpected(code_of(facts.error()));
  CollateralRecord out;
  out.kind = static_cast<CollateralKind>(facts->name.kind);
  out.id = facts->name.id;
  // A certificate may be older than Unix time, which is as old as the ledger can tell.
  out.issued_at = static_cast<uint64_t>(std::max<UnixSeconds>(facts->issued_at, 0));
  out.next_update = static_cast<uint64_t>(std::max<UnixSeconds>(facts->next_update, 0));
  out.number = facts->number;
  return out;
}

bool Verifier::changes_standing(const CollateralRecord& earlier,
                                const CollateralRecord& later) const {
  return !evidence::judges_alike(earlier.files, later.files);
}

StandingJudge Verifier::standing_judge(CollateralLookup collateral) const {
  const auto judge = std::make_shared<evidence::StandingJudge>(
      [collateral = std::move(collateral)](
          const evidence::CollateralName& name) -> std::optional<std::vector<Buffer>> {
        auto record = collateral(static_cast<CollateralKind>(name.kind), name.id);
        if (!record) return std::nullopt;
        return std::move(record->files);
      });
  return [judge](Platform& platform, Bytes bytes) -> StandingVerdict {
    if (bytes.empty()) return {};  // of a kind that no collateral on the ledger judges
    const auto standing = evidence::Standing::decode(bytes);
    if (!standing) return {Code::evidence_malformed};
    const auto found = judge->judge(*standing);
    if (!found) return {code_of(found.error().error), found.error().key_revoked};
    Platform next = platform;
    next.tcb_status = static_cast<uint8_t>(found->status);
    next.advisories = found->advisories;
    next.tcb_evaluation_number = found->tcb_evaluation_number;
    if (!fits_record(next)) return {Code::evidence_unsupported};
    platform = std::move(next);
    return {};
  };
}

}  // namespace

std::shared_ptr<const AdmissionVerifier> make_verifier() {
  return std::make_shared<Verifier>();
}

}  // namespace cloister::ledger
