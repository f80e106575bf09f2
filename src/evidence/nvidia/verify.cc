#include "evidence/nvidia/verify.h"

#include <algorithm>

#include "base/text.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/common/version_floor.h"
#include "evidence/nvidia/goldens.h"
#include "evidence/nvidia/manifest_facts.h"
#include "evidence/rim/ocsp.h"

namespace cloister::evidence {
namespace nvidia {
namespace {

struct Manifest {
  ManifestSubject subject;
  ManifestChoice choice;
  const rim::VerifiedRim* verified = nullptr;  // of the Manifests
};

class DeviceJudge {
 public:
  DeviceJudge(DeviceKind kind, Bytes bytes, const Collateral& collateral, Manifests& manifests,
              const VerifyPolicy& policy, const Binding& binding, UnixSeconds now)
      : kind_(kind),
        bytes_(bytes),
        collateral_(collateral),
        shelf_(manifests),
        policy_(policy),
        binding_(binding),
        now_(now) {}

  DeviceVerification run();

 private:
  using Found = Result<std::string>;

  Found parse();
  Found manifests_parse();
  Found gather();
  Found authentic();
  Found firmware();
  Found floors();
  Found measurements();
  Found bound() { return check_binding(binding_, std::nullopt, report_->nonce); }

  // The parts of `authentic`; each looks at everything that it can.
  Found chain();
  Found windows();
  Found revocation();
  Found manifests_suit();
  Found manifests_verify();
  Found signature();

  void add_report_claims();
  Standing standing() const;
  VerifiedEvidence verified() const;

  const DeviceKind kind_;
  const Bytes bytes_;
  const Collateral& collateral_;
  Manifests& shelf_;
  const VerifyPolicy& policy_;
  const Binding& binding_;
  const UnixSeconds now_;

  std::optional<Report> report_;
  std::optional<DeviceChain> chain_;
  std::optional<DeviceIdentity> identity_;
  rim::OcspFindings ocsp_;
  std::vector<Manifest> manifests_;
  UnixSeconds valid_until_ = INT64_MAX;
  Appraisal appraisal_;
};

DeviceVerification DeviceJudge::run() {
  using T = DeviceJudge;
  static constexpr Stage<T> kStages[] = {
      {"evidence_form", "measurements with their request", &T::parse},
      {"rim_form", "reference manifests", &T::manifests_parse},
      {"collateral_present", "device chain, OCSP answers and manifests", &T::gather},
      {"authentic", "everything verifies", &T::authentic},
      {"identity", "the FWID of the device's certificate", &T::firmware},
      {"attributes", "versions at least those of policy", &T::floors},
      {"measurements", "the golden ones", &T::measurements},
      {"nonce", "the expected challenge", &T::bound},
  };
  appraisal_.format = kind_ == DeviceKind::gpu ? Format::nvidia_gpu : Format::nvidia_switch;
  if (!run_stages(*this, kStages, appraisal_)) return {{std::move(appraisal_), {}}, {}};
  appraisal_.status = TcbStatus::up_to_date;
  VerifiedEvidence evidence = verified();
  return {{std::move(appraisal_), std::move(evidence)},
          DeviceFacts{kind_, *identity_, report_->opaque}};
}

DeviceJudge::Found DeviceJudge::parse() {
  auto parsed = parse_report(kind_, bytes_);
  if (!parsed) return std::unexpected(parsed.error());
  report_ = std::move(*parsed);
  add_report_claims();
  return std::to_string(report_->measurements.size()) + " measurements";
}

// What the device says; a report, until the signature has been verified.
void DeviceJudge::add_report_claims() {
  const Opaque& said = report_->opaque;
  JsonValue& claims = appraisal_.claims;
  claims.set("nonce", to_hex(report_->nonce));
  if (kind_ == DeviceKind::gpu) claims.set("driver_version", said.driver_version);
  claims.set("vbios_version", said.vbios_version);
  if (said.feature_flag) claims.set("feature_flag", std::string(name(*said.feature_flag)));
  if (said.protected_pcie_on) claims.set("protected_pcie", *said.protected_pcie_on);
  if (said.nvdec0_on) claims.set("nvdec0", *said.nvdec0_on);
  if (!said.project.empty()) claims.set("project", said.project);
  if (!said.project_sku.empty()) claims.set("project_sku", said.project_sku);
  if (!said.chip_sku.empty()) claims.set("chip_sku", said.chip_sku);
}

DeviceJudge::Found DeviceJudge::manifests_parse() {
  if (shelf_.fault()) return std::unexpected(*shelf_.fault());
  return std::to_string(shelf_.count()) + " supplied";
}

DeviceJudge::Found DeviceJudge::gather() {
  auto chain = find_chain(kind_, *report_, collateral_);
  if (!chain) return std::unexpected(chain.error());
  chain_ = std::move(*chain);
  auto answers = rim::find_ocsp(chain_->view(), kFirstRevocable, collateral_, policy_);
  if (!answers) return std::unexpected(answers.error());
  ocsp_ = std::move(*answers);
  const std::string chip = chip_of(chain_->certificates.front());
  for (const ManifestSubject& subject : subjects_of(kind_, report_->opaque, chip)) {
    const ManifestChoice choice = shelf_.choose(subject);
    if (!choice.any && !policy_.allow_no_rim) {
      return refuse(
          Error::collateral_missing,
          "no manifest of " + std::string(name(subject.component)) + " " + subject.version);
    }
    manifests_.push_back({subject, choice, nullptr});
  }
  return std::to_string(ocsp_.size()) + " OCSP answers";
}

// Each part is looked at whatever the others found: the lowest class is the verdict.
DeviceJudge::Found DeviceJudge::authentic() {
  using T = DeviceJudge;
  static constexpr Stage<T> kParts[] = {
      {"vendor_root", "five certificates to the pinned root", &T::chain},
      {"collateral_fresh", "every certificate holds at the time of judgement", &T::windows},
      {"revocation", "not revoked", &T::revocation},
      {"rim_version", "manifests of the device's versions", &T::manifests_suit},
      {"rim", "manifests that NVIDIA signed", &T::manifests_verify},
      {"evidence_signature", "signed by the device's leaf", &T::signature},
  };
  std::optional<Fault> lowest;
  for (const Stage<T>& part : kParts) {
    const Found found = (this->*part.run)();
    appraisal_.checks.push_back(
        {part.check, found.has_value(), part.expected, found ? *found : found.error().detail});
    if (!found && (!lowest || found.error().error < lowest->error)) lowest = found.error();
  }
  if (lowest) return std::unexpected(*lowest);
  return std::string("everything verifies");
}

DeviceJudge::Found DeviceJudge::chain() {
  auto identity = identify(*chain_, kind_);
  if (!identity) return std::unexpected(identity.error());
  const auto development = check_p384_chain(
      chain_->view(), {policy_.anchors.nvidia_device_root, policy_.anchors.development_nvidia});
  if (!development) return std::unexpected(development.error());
  identity_ = std::move(*identity);
  appraisal_.development = *development;
  appraisal_.claims.set("arch", std::string(name(identity_->architecture)));
  appraisal_.claims.set("chip", identity_->chip);
  appraisal_.claims.set("ueid", to_hex(identity_->ueid));
  return std::string(*development ? "a development root: no hardware protection"
                                  : "NVIDIA Device Identity CA");
}

DeviceJudge::Found DeviceJudge::windows() {
  const auto until = check_chain_windows(chain_->view(), now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = std::min(valid_until_, *until);
  return "until " + utc_text(*until);
}

DeviceJudge::Found DeviceJudge::revocation() {
  const auto until = rim::check_ocsp(ocsp_, policy_, now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = std::min(valid_until_, *until);
  if (ocsp_.empty()) return std::string("not asked: waived by policy");
  return std::to_string(ocsp_.size()) + " good";
}

DeviceJudge::Found DeviceJudge::manifests_suit() {
  for (const Manifest& each : manifests_) {
    if (each.choice.place || !each.choice.any) continue;
    return refuse(Error::collateral_mismatch,
                  "no manifest is of " + std::string(name(each.subject.component)) + " " +
                      each.subject.version + " of " + each.subject.product);
  }
  return std::string("chosen by version, chip and edition");
}

DeviceJudge::Found DeviceJudge::manifests_verify() {
  std::optional<Fault> lowest;
  for (Manifest& each : manifests_) {
    if (!each.choice.place) continue;
    const Result<rim::VerifiedRim>& verified = shelf_.verified(*each.choice.place);
    if (verified) {
      valid_until_ = std::min(valid_until_, verified->valid_until());
      appraisal_.development = appraisal_.development || verified->development();
      each.verified = &*verified;
    } else if (!lowest || verified.error().error < lowest->error) {
      lowest = verified.error();
    }
  }
  if (lowest) return std::unexpected(*lowest);
  return std::to_string(std::ranges::count_if(
             manifests_, [](const Manifest& each) { return each.verified != nullptr; })) +
         " verified";
}

DeviceJudge::Found DeviceJudge::signature() {
  if (!chain_->certificates.front().signed_message(report_->signed_bytes, report_->signature_rs)) {
    return refuse(Error::bad_signature, "signature of the measurements");
  }
  return std::string("holds");
}

// Firmware that reports its FWID must report the one that its certificate was made for. The report
// is signed, so the field cannot be taken out; old firmware has none.
DeviceJudge::Found DeviceJudge::firmware() {
  appraisal_.claims.set("fwid", to_hex(identity_->fwid));
  if (report_->opaque.fwid && *report_->opaque.fwid != identity_->fwid) {
    return refuse(Error::identity_mismatch, "the report's FWID is not the certificate's");
  }
  return std::string(report_->opaque.fwid ? "the same in both" : "in the certificate only");
}

DeviceJudge::Found DeviceJudge::floors() {
  const Opaque& said = report_->opaque;
  if (kind_ == DeviceKind::gpu && !at_least(said.driver_version, policy_.min_nvidia_driver)) {
    return refuse(Error::policy_denied, "driver " + said.driver_version);
  }
  if (kind_ == DeviceKind::gpu && !at_least(said.vbios_version, policy_.min_nvidia_vbios)) {
    return refuse(Error::policy_denied, "VBIOS " + said.vbios_version);
  }
  return std::string("allowed");
}

DeviceJudge::Found DeviceJudge::measurements() {
  std::vector<const rim::VerifiedRim*> all;
  std::optional<Fault> first;
  for (const Manifest& each : manifests_) {
    const std::string claim = std::string(name(each.subject.component)) + "_rim";
    if (each.verified == nullptr) {
      appraisal_.claims.set(claim, "absent");
      continue;
    }
    const rim::VerifiedRim* one[] = {each.verified};
    const auto compared = compare(*report_, one);
    appraisal_.claims.set(claim, compared ? "match" : "mismatch");
    if (!compared && !first) first = compared.error();
    all.push_back(each.verified);
  }
  if (first) return std::unexpected(*first);
  const auto compared = compare(*report_, all);
  if (!compared) return std::unexpected(compared.error());
  return std::to_string(*compared) + " equal, of " + std::to_string(all.size()) + " manifests";
}

Standing DeviceJudge::standing() const {
  const auto& certificates = chain_->certificates;
  Standing out{appraisal_.format, certificates.back().spki_sha256(), {}, {}};
  for (size_t i = kFirstRevocable; i + 1 < certificates.size(); ++i) {
    const Hash32 issuer = certificates[i + 1].spki_sha256();
    out.certificates.push_back(
        {i == kFirstRevocable, issuer, entry_id(issuer, certificates[i].serial())});
  }
  std::vector<ManifestFact> facts;
  for (const Manifest& each : manifests_) {
    if (each.verified == nullptr) continue;
    const ManifestSubject& of = each.subject;
    facts.push_back({each.verified->root_key(),
                     manifest_subject(of.product, of.edition, of.version),
                     goldens_digest(each.verified->goldens())});
  }
  out.facts = encode(facts);
  return out;
}

VerifiedEvidence DeviceJudge::verified() const {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = appraisal_.format;
  fields.development = appraisal_.development;
  fields.status = TcbStatus::up_to_date;
  fields.nonce = to_buffer(report_->nonce);
  for (const auto& each : report_->measurements) {
    fields.runtime_measurements.push_back(to_buffer(each));
  }
  fields.platform_id = identity_->ueid;
  fields.product = identity_->chip;
  fields.driver_version = report_->opaque.driver_version;
  fields.firmware_version = report_->opaque.vbios_version;
  fields.valid_until = valid_until_;
  fields.standing = standing();
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

DeviceVerification verify_device(DeviceKind kind, Bytes report, const Collateral& collateral,
                                 Manifests& manifests, const VerifyPolicy& policy,
                                 const Binding& binding, UnixSeconds now) {
  return DeviceJudge(kind, report, collateral, manifests, policy, binding, now).run();
}

}  // namespace nvidia

Verification verify_nvidia(nvidia::DeviceKind kind, Bytes report, const Collateral& collateral,
                           const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  nvidia::Manifests manifests(collateral, policy, now);
  return nvidia::verify_device(kind, report, collateral, manifests, policy, binding, now)
      .verification;
}

}  // namespace cloister::evidence
