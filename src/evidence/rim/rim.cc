#include "evidence/rim/rim.h"

#include <algorithm>

#include "base/text.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/rim/ocsp.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence::rim {

class RimVerification {
 public:
  RimVerification(std::string_view document, const Collateral& collateral,
                  const VerifyPolicy& policy, UnixSeconds now)
      : document_(document), collateral_(collateral), policy_(policy), now_(now) {}

  // True when NVIDIA signed it; else `appraisal` says why not.
  bool run();
  Appraisal& appraisal() { return appraisal_; }
  VerifiedRim verified() const;

 private:
  using Found = Result<std::string>;

  Found parse();
  Found gather();
  Found chain();
  Found windows();
  Found revocation();
  Found signature();

  const std::string_view document_;
  const Collateral& collateral_;
  const VerifyPolicy& policy_;
  const UnixSeconds now_;

  std::optional<Swid> swid_;
  std::vector<const crypto::Certificate*> chain_;  // signer first
  OcspFindings ocsp_;
  UnixSeconds valid_until_ = 0;
  Appraisal appraisal_;
};

bool RimVerification::run() {
  using T = RimVerification;
  static constexpr Stage<T> kStages[] = {
      {"rim_form", "a SWID document with one signature", &T::parse},
      {"rim_collateral", "OCSP answers about its chain", &T::gather},
      {"rim_root", "a chain of four to the pinned RIM root", &T::chain},
      {"rim_fresh", "every certificate holds at the time of judgement", &T::windows},
      {"rim_revocation", "not revoked", &T::revocation},
      {"rim_signature", "digest and signature hold", &T::signature},
  };
  return run_stages(*this, kStages, appraisal_);
}

RimVerification::Found RimVerification::parse() {
  auto parsed = parse_swid(document_);
  if (!parsed) return std::unexpected(parsed.error());
  swid_ = std::move(*parsed);
  for (const auto& each : swid_->signature.certificates) chain_.push_back(&each);
  return swid_->product + " " + swid_->version;
}

RimVerification::Found RimVerification::gather() {
  auto found = find_ocsp(chain_, 0, collateral_, policy_);
  if (!found) return std::unexpected(found.error());
  ocsp_ = std::move(*found);
  return std::to_string(ocsp_.size()) + " answers";
}

RimVerification::Found RimVerification::chain() {
  if (chain_.size() != kRimChainCertificates) {
    return refuse(Error::wrong_chain, std::to_string(chain_.size()) + " certificates");
  }
  const auto development = check_p384_chain(
      chain_, {policy_.anchors.nvidia_rim_root, policy_.anchors.development_nvidia});
  if (!development) return std::unexpected(development.error());
  appraisal_.development = *development;
  return std::string(*development ? "a development root: no hardware protection"
                                  : "NVIDIA's root for reference manifests");
}

RimVerification::Found RimVerification::windows() {
  const auto until = check_chain_windows(chain_, now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = *until;
  return "until " + utc_text(*until);
}

RimVerification::Found RimVerification::revocation() {
  const auto until = check_ocsp(ocsp_, policy_, now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = std::min(valid_until_, *until);
  if (ocsp_.empty()) return std::string("not asked: waived by policy");
  return std::to_string(ocsp_.size()) + " good";
}

RimVerification::Found RimVerification::signature() {
  if (!signature_holds(swid_->signature, *chain_.front())) {
    return refuse(Error::bad_signature, "signature of the reference manifest");
  }
  JsonValue& claims = appraisal_.claims;
  claims.set("version", swid_->version);
  claims.set("product", swid_->product);
  claims.set("edition", swid_->edition);
  claims.set("tag_id", swid_->id);
  claims.set("active_measurements",
             static_cast<uint64_t>(std::ranges::count_if(swid_->goldens, &Golden::active)));
  return std::string("holds");
}

VerifiedRim RimVerification::verified() const {
  VerifiedRim out;
  out.id_ = swid_->id;
  out.version_ = swid_->version;
  out.product_ = swid_->product;
  out.edition_ = swid_->edition;
  out.goldens_ = swid_->goldens;
  out.root_key_ = chain_.back()->spki_sha256();
  out.development_ = appraisal_.development;
  out.signer_not_before_ = chain_.front()->not_before();
  out.valid_until_ = valid_until_;
  return out;
}

Result<RimHeader> header_of(std::string_view document) {
  const auto swid = parse_swid(document);
  if (!swid) return std::unexpected(swid.error());
  return RimHeader{swid->version, swid->product, swid->edition,
                   swid->signature.certificates.front().not_before()};
}

Result<VerifiedRim> verify_rim(std::string_view document, const Collateral& collateral,
                               const VerifyPolicy& policy, UnixSeconds now) {
  RimVerification verification(document, collateral, policy, now);
  if (verification.run()) return verification.verified();
  return refuse(*verification.appraisal().error, verification.appraisal().detail);
}

Verification verify_nvidia_rim(Bytes document, const Collateral& collateral,
                               const VerifyPolicy& policy, const Binding& binding,
                               UnixSeconds now) {
  RimVerification verification(as_text(document), collateral, policy, now);
  const bool authentic = verification.run();
  Appraisal& appraisal = verification.appraisal();
  appraisal.format = Format::nvidia_rim;
  if (!authentic) return {std::move(appraisal), std::nullopt};
  const auto bound = check_binding(binding, std::nullopt, std::nullopt);
  appraisal.checks.push_back({"nonce", bound.has_value(), "nothing: a manifest answers nobody",
                              bound ? *bound : bound.error().detail});
  if (!bound) {
    appraisal.error = bound.error().error;
    appraisal.detail = bound.error().detail;
    return {std::move(appraisal), std::nullopt};
  }
  appraisal.status = TcbStatus::up_to_date;
  const VerifiedRim rim = verification.verified();
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::nvidia_rim;
  fields.development = rim.development();
  fields.status = TcbStatus::up_to_date;
  fields.product = rim.product();
  fields.valid_until = rim.valid_until();
  return {std::move(appraisal), VerifiedEvidenceMaker::make(std::move(fields))};
}

}  // namespace cloister::evidence::rim
