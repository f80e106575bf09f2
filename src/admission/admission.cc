#include "admission/admission.h"

#include <algorithm>

#include "admission/gpus.h"
#include "evidence/collateral.h"
#include "ledger/types/limits.h"

namespace cloister::admission {
namespace {

// Evidence that cannot be read needs none: the verifier says what is wrong with it.
std::vector<ledger::CollateralRecord> records_for(const evidence::Evidence& evidence,
                                                  const Question& question,
                                                  const evidence::dcap::PckChains& chains) {
  std::vector<ledger::CollateralRecord> out;
  const auto names = evidence::collateral_needed(evidence, question.anchors, chains);
  if (!names) return out;
  for (const evidence::CollateralName& name : *names) {
    auto held = question.collateral(static_cast<ledger::CollateralKind>(name.kind), name.id);
    if (held) out.push_back(std::move(*held));
  }
  return out;
}

// Each file once: many objects come with the same chain.
std::vector<const Buffer*> files_of(std::span<const ledger::CollateralRecord> records) {
  std::vector<const Buffer*> out;
  for (const auto& record : records) {
    for (const Buffer& file : record.files) {
      const bool known = std::ranges::any_of(out, [&](const Buffer* f) { return *f == file; });
      if (!known) out.push_back(&file);
    }
  }
  return out;
}

CollateralMemory::Prepared prepared_anew(
    std::span<const Buffer* const> files,
    const std::shared_ptr<const evidence::dcap::PckChains>& chains) {
  evidence::Collateral out;
  for (const Buffer* file : files) {
    if (!out.add(*file)) return nullptr;
  }
  return std::make_shared<const evidence::PreparedCollateral>(std::move(out), chains);
}

Hash32 key_of(std::span<const Buffer* const> files) {
  crypto::Sha256 hash;
  for (const Buffer* file : files) {
    hash.update(ByteWriter().u64_be(file->size()).view()).update(*file);
  }
  return hash.finish();
}

ItemVerdict verdict_on(const evidence::Evidence& evidence,
                       const evidence::PreparedCollateral& collateral, const Question& question) {
  const auto verify_policy = policy::verify_policy(question.rules.merged, question.anchors);
  ItemVerdict out;
  out.verification =
      evidence::verify(evidence, collateral, verify_policy, question.binding, question.now);
  const auto& verified = out.verification.verified;
  if (verified) out.decision = decision_on(*verified, question);
  return out;
}

// The ledger's kinds are the verifier's.
constexpr bool same(ledger::CollateralKind ours, evidence::CollateralKind theirs) {
  return static_cast<uint8_t>(ours) == static_cast<uint8_t>(theirs);
}
using ledger::CollateralKind;
static_assert(same(CollateralKind::tdx_tcb_info, evidence::CollateralKind::tdx_tcb_info));
static_assert(same(CollateralKind::sgx_tcb_info, evidence::CollateralKind::sgx_tcb_info));
static_assert(same(CollateralKind::tdx_qe_identity, evidence::CollateralKind::tdx_qe_identity));
static_assert(same(CollateralKind::sgx_qe_identity, evidence::CollateralKind::sgx_qe_identity));
static_assert(same(CollateralKind::certificate, evidence::CollateralKind::certificate));
static_assert(same(CollateralKind::crl, evidence::CollateralKind::crl));
static_assert(same(CollateralKind::manifest, evidence::CollateralKind::manifest));
static_assert(same(CollateralKind::ocsp_answer, evidence::CollateralKind::ocsp_answer));
static_assert(ledger::kNvidiaGpuFormat == static_cast<uint8_t>(evidence::Format::nvidia_gpu));
static_assert(ledger::kNvidiaSwitchFormat == static_cast<uint8_t>(evidence::Format::nvidia_switch));

}  // namespace

evidence::TrustAnchors anchors_of(const ledger::Genesis& genesis) {
  auto out = evidence::vendor_anchors();
  if (genesis.development) {
    out.development_intel = genesis.development_intel;
    out.development_amd = genesis.development_amd;
    out.development_nvidia = genesis.development_nvidia;
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
                            release.valid_from_height, release.valid_until_height,
                            release.min_driver, release.min_firmware});
  }
  out.allow_development = policy.allow_development;
  out.denied_measurements = policy.denied_measurements;
  out.denied_platforms = policy.denied_platforms;
  for (uint8_t format : policy.paused_formats) {
    out.paused_formats.push_back(static_cast<evidence::Format>(format));
  }
  return out;
}

ledger::CollateralLookup lookup_in(std::span<const ledger::CollateralRecord> records) {
  return [records](ledger::CollateralKind kind, const Hash32& id) {
    const auto at = std::ranges::find_if(
        records, [&](const auto& record) { return record.kind == kind && record.id == id; });
    return at == records.end() ? std::nullopt : std::optional(*at);
  };
}

std::string_view name(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "none";
    case Refusal::evidence_absent:
      return "evidence_absent";
    case Refusal::collateral_unusable:
      return "collateral_unusable";
    case Refusal::evidence_refused:
      return "evidence_refused";
    case Refusal::policy_refused:
      return "policy_refused";
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

CollateralMemory::Prepared CollateralMemory::prepare(std::span<const Buffer* const> files) {
  const Hash32 key = key_of(files);
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find(known_, key, &Known::key);
  if (at != known_.end()) return at->prepared;
  auto prepared = prepared_anew(files, chains_);
  if (!prepared) return nullptr;
  known_.push_back({key, prepared});
  if (known_.size() > kMaxRemembered) known_.pop_front();
  return prepared;
}

policy::Decision decision_on(const evidence::VerifiedEvidence& verified, const Question& question) {
  const Hash32 platform = ledger::platform_id_hash(
      question.chain_id, static_cast<uint8_t>(verified.format()), verified.platform_id());
  return policy::decide(verified, platform, question.rules, question.height);
}

Judgement judge(const Question& question) {
  CollateralMemory of_this_judgement;
  CollateralMemory& memory = question.memory ? *question.memory : of_this_judgement;
  Judgement out;
  if (question.evidence.empty() || question.evidence.size() > ledger::kMaxEvidenceItems) {
    out.refusal = Refusal::evidence_absent;
    return out;
  }
  for (const auto& item : question.evidence) {
    if (item.format == ledger::kNvidiaGpuFormat) {
      judge_gpus(item, question, out);
      return out;
    }
    const evidence::Evidence evidence{static_cast<evidence::Format>(item.format), item.bytes};
    const auto records = records_for(evidence, question, memory.chains());
    const auto collateral = memory.prepare(files_of(records));
    if (!collateral) {
      out.refusal = Refusal::collateral_unusable;
      return out;
    }
    out.items.push_back(verdict_on(evidence, *collateral, question));
    const ItemVerdict& verdict = out.items.back();
    if (!verdict.verification.verified)
      out.refusal = Refusal::evidence_refused;
    else if (!verdict.decision.allowed)
      out.refusal = Refusal::policy_refused;
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
  // A device's were compared with its vendor's manifests, and nobody compares them again.
  if (!policy::is_device(verified.format())) {
    out.runtime_measurements = verified.runtime_measurements();
  }
  out.driver_version = verified.driver_version();
  out.firmware_version = verified.firmware_version();
  out.configuration = verified.configuration();
  out.development = verified.development();
  return out;
}

policy::Established established_of(const ledger::Platform& platform) {
  policy::Established out;
  out.format = static_cast<evidence::Format>(platform.format);
  out.status = static_cast<evidence::TcbStatus>(platform.tcb_status);
  out.advisories = platform.advisories;
  out.tcb_evaluation_number = platform.tcb_evaluation_number;
  out.product = platform.product;
  out.measurement = platform.measurement;
  out.runtime_measurements = platform.runtime_measurements;
  out.driver_version = platform.driver_version;
  out.firmware_version = platform.firmware_version;
  out.platform = platform.id_hash;
  out.development = platform.development;
  return out;
}

}  // namespace cloister::admission
