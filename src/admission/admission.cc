#include "admission/admission.h"

#include <set>

#include "ledger/types/limits.h"

namespace cloister::admission {

evidence::TrustAnchors anchors_of(const ledger::Genesis& genesis) {
  auto out = evidence::vendor_anchors();
  if (genesis.development) {
    out.development_intel = genesis.development_intel;
    out.development_amd = genesis.development_amd;
  }
  return out;
}

policy::Rules rules_of(const ledger::NetworkPolicy& policy) {
  policy::Rules out;
  out.version = policy.version;
  for (uint8_t status : policy.accepted_statuses) {
    out.accepted_statuses.push_back(static_cast<evidence::TcbStatus>(status));
  }
  out.min_tcb_evaluation_number = policy.min_tcb_evaluation_number;
  out.denied_advisories = policy.denied_advisories;
  out.distrusted_products = policy.distrusted_products;
  for (const auto& release : policy.releases) {
    out.releases.push_back({release.name, static_cast<evidence::Format>(release.format),
                            release.measurement, release.runtime_measurements,
                            release.valid_from_height, release.valid_until_height});
  }
  out.allow_development = policy.allow_development;
  return out;
}

std::optional<evidence::Collateral> collateral_of(
    std::span<const ledger::CollateralRecord> records) {
  evidence::Collateral out;
  std::set<Bytes, decltype([](Bytes a, Bytes b) { return less(a, b); })> seen;
  for (const auto& record : records) {
    for (const Buffer& file : record.files) {
      if (seen.insert(file).second && !out.add(file)) return std::nullopt;
    }
  }
  return out;
}

std::string_view name(Refusal refusal) {
  switch (refusal) {
    case Refusal::none: return "none";
    case Refusal::evidence_absent: return "evidence_absent";
    case Refusal::evidence_refused: return "evidence_refused";
    case Refusal::policy_refused: return "policy_refused";
  }
  std::abort();
}

bool Judgement::development() const {
  for (const auto& item : items) {
    if (item.verification.appraisal.development) return true;
  }
  return false;
}

std::optional<evidence::Error> Judgement::evidence_error() const {
  if (refusal != Refusal::evidence_refused) return std::nullopt;
  return items.back().verification.appraisal.error;
}

std::optional<policy::Reason> Judgement::policy_reason() const {
  if (refusal != Refusal::policy_refused) return std::nullopt;
  return items.back().decision.first_refusal();
}

Judgement judge(const Question& question) {
  Judgement out;
  if (question.evidence.empty() || question.evidence.size() > ledger::kMaxEvidenceItems) {
    out.refusal = Refusal::evidence_absent;
    return out;
  }
  auto verify_policy = policy::verify_policy(question.rules.merged, question.anchors);
  for (const auto& item : question.evidence) {
    auto format = static_cast<evidence::Format>(item.format);
    ItemVerdict verdict;
    verdict.verification = evidence::verify({format, item.bytes}, question.collateral,
                                            verify_policy, question.binding, question.now);
    const auto& verified = verdict.verification.verified;
    if (verified) verdict.decision = policy::decide(*verified, question.rules, question.height);
    bool genuine = verified.has_value(), allowed = verdict.decision.allowed;
    out.items.push_back(std::move(verdict));
    if (!genuine) out.refusal = Refusal::evidence_refused;
    if (genuine && !allowed) out.refusal = Refusal::policy_refused;
    if (!out.admitted()) return out;
  }
  return out;
}

ledger::Platform platform_of(const evidence::VerifiedEvidence& verified,
                             std::string_view chain_id) {
  ledger::Platform out;
  out.format = static_cast<uint8_t>(verified.format());
  out.product = verified.product();
  out.id_hash = ledger::platform_id_hash(chain_id, out.format, verified.platform_id());
  out.tcb_status = static_cast<uint8_t>(verified.status());
  out.advisories = verified.advisories();
  out.tcb_evaluation_number = verified.tcb_evaluation_number();
  out.measurement = verified.measurement();
  out.runtime_measurements = verified.runtime_measurements();
  out.configuration = verified.configuration();
  out.development = verified.development();
  return out;
}

}  // namespace cloister::admission
