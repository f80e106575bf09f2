#include "evidence/dcap/verify.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "evidence/common/binding.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/dcap/claims.h"
#include "evidence/dcap/policy.h"
#include "evidence/dcap/tcb_level.h"

namespace cloister::evidence::dcap {
namespace {

using crypto::Curve;

// One verification. Stages run in a fixed order, each returns what it found or why it refuses, and
// the first refusal is the verdict.
class TdxVerification {
 public:
  TdxVerification(Bytes quote, const Collateral& collateral, const VerifyPolicy& policy,
                  const Binding& binding, UnixSeconds now)
      : quote_(quote), collateral_(collateral), policy_(policy), binding_(binding), now_(now) {}

  Verification run();

 private:
  using Found = Result<std::string>;

  Found parse();
  Found chains();
  Found windows();
  Found revocation();
  Found collateral_match();
  Found signatures();
  Found identities();
  Found levels();
  Found debug() { return check_debug(inputs_.quote.td, policy_); }
  Found attributes() { return check_attributes(inputs_, appraisal_.advisories, policy_); }
  Found service_td() { return check_service_td(inputs_.quote.td, policy_); }
  Found status() { return check_status(*appraisal_.status, policy_); }
  Found report_data() {
    return check_binding(binding_, inputs_.quote.td.report_data, std::nullopt);
  }

  Result<TcbStatus> module_status();
  void add_advisories(const LevelStatus& level);
  VerifiedEvidence verified() const;

  const Bytes quote_;
  const Collateral& collateral_;
  const VerifyPolicy& policy_;
  const Binding& binding_;
  const UnixSeconds now_;

  Inputs inputs_;
  PckCa ca_{};
  bool root_crl_signed_ = false;
  bool pck_crl_signed_ = false;
  UnixSeconds valid_until_ = 0;
  UnixSeconds earliest_tcb_date_ = INT64_MAX;
  Appraisal appraisal_;
};

Verification TdxVerification::run() {
  struct Stage {
    const char* check;
    const char* expected;
    Found (TdxVerification::*run)();
  };
  using T = TdxVerification;
  static constexpr Stage kStages[] = {
      {"evidence_form", "a TDX quote and the collateral it needs", &T::parse},
      {"vendor_root", "a chain to the pinned Intel SGX Root CA", &T::chains},
      {"collateral_fresh", "every window holds at the time of judgement", &T::windows},
      {"revocation", "no certificate of the chains is revoked", &T::revocation},
      {"collateral_match", "collateral for this platform", &T::collateral_match},
      {"evidence_signature", "collateral, QE report and quote are signed", &T::signatures},
      {"identity", "Intel's quoting enclave and TDX module", &T::identities},
      {"tcb_level", "a published TCB level matches", &T::levels},
      {"debug_off", "off", &T::debug},
      {"attributes", "allowed by policy", &T::attributes},
      {"service_td", "none", &T::service_td},
      {"tcb_status", "a status that policy accepts", &T::status},
      {"report_data", "the expected binding", &T::report_data},
  };
  appraisal_.format = Format::tdx_quote;
  for (const Stage& stage : kStages) {
    const Found found = (this->*stage.run)();
    appraisal_.checks.push_back(
        {stage.check, found.has_value(), stage.expected, found ? *found : found.error().detail});
    if (found) continue;
    appraisal_.error = found.error().error;
    appraisal_.detail = found.error().detail;
    return {std::move(appraisal_), std::nullopt};
  }
  VerifiedEvidence evidence = verified();
  return {std::move(appraisal_), std::move(evidence)};
}

TdxVerification::Found TdxVerification::parse() {
  auto inputs = gather(quote_, collateral_, policy_, now_);
  if (!inputs) return std::unexpected(inputs.error());
  inputs_ = std::move(*inputs);
  return "quote version " + std::to_string(inputs_.quote.version);
}

TdxVerification::Found TdxVerification::chains() {
  const auto chain = check_pck_chain(inputs_.pck, policy_.anchors);
  if (!chain) return std::unexpected(chain.error());
  const auto signer = check_tcb_signer(inputs_.tcb_signer, inputs_.pck.root);
  if (!signer) return std::unexpected(signer.error());
  ca_ = chain->ca;
  appraisal_.development = chain->development;
  return std::string(chain->development ? "a development root: no hardware protection"
                                        : "Intel SGX Root CA");
}

TdxVerification::Found TdxVerification::windows() {
  const TcbInfo& info = inputs_.tcb_info;
  const QeIdentity& qe = inputs_.qe_identity;
  std::vector<Window> windows = {
      window_of("PCK certificate", inputs_.pck.leaf),
      window_of("PCK CA", inputs_.pck.intermediate),
      window_of("root", inputs_.pck.root),
      window_of("TCB signing certificate", inputs_.tcb_signer),
      {"TCB info", info.issue_date, info.next_update},
      {"QE identity", qe.issue_date, qe.next_update},
  };
  if (inputs_.root_crl) windows.push_back(window_of("root CRL", *inputs_.root_crl));
  if (inputs_.pck_crl) windows.push_back(window_of("PCK CRL", *inputs_.pck_crl));
  const auto until = check_windows(windows, now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = *until;
  return "until " + utc_text(*until);
}

// A list counts only when its issuer signed it; a forged one is refused with the other signatures.
TdxVerification::Found TdxVerification::revocation() {
  const PckChain& pck = inputs_.pck;
  root_crl_signed_ = inputs_.root_crl && inputs_.root_crl->signed_by(pck.root);
  pck_crl_signed_ = inputs_.pck_crl && inputs_.pck_crl->signed_by(pck.intermediate);
  if (root_crl_signed_ && inputs_.root_crl->lists(pck.intermediate.serial())) {
    return refuse(Error::revoked, "the PCK CA is revoked");
  }
  if (root_crl_signed_ && inputs_.root_crl->lists(inputs_.tcb_signer.serial())) {
    return refuse(Error::revoked, "the TCB signing certificate is revoked");
  }
  if (pck_crl_signed_ && inputs_.pck_crl->lists(pck.leaf.serial())) {
    return refuse(Error::revoked, "the PCK certificate is revoked");
  }
  if (root_crl_signed_ && pck_crl_signed_) return std::string("none is listed");
  if (inputs_.root_crl && inputs_.pck_crl) return std::string("a list is not signed by its issuer");
  return std::string("not fully checked: policy allows absent lists");
}

TdxVerification::Found TdxVerification::collateral_match() {
  const TcbInfo& info = inputs_.tcb_info;
  const QeIdentity& qe = inputs_.qe_identity;
  const bool info_authentic = signed_by(info.document, inputs_.tcb_signer);
  const bool qe_authentic = signed_by(qe.document, inputs_.tcb_signer);
  if (!inputs_.pck_crl && inputs_.foreign_crl) {
    return refuse(Error::collateral_mismatch, "the CRL is of another PCK CA");
  }
  if (info_authentic && !info.tdx) return refuse(Error::collateral_mismatch, "TCB info is for SGX");
  if (info_authentic && info.fmspc != inputs_.platform.fmspc) {
    return refuse(Error::collateral_mismatch, "TCB info is for FMSPC " + to_hex(info.fmspc) +
                                                  ", the platform is " +
                                                  to_hex(inputs_.platform.fmspc));
  }
  if (info_authentic && info.pce_id != inputs_.platform.pce_id) {
    return refuse(Error::collateral_mismatch, "TCB info is for PCEID " + to_hex(info.pce_id));
  }
  if (qe_authentic && qe.kind != QeKind::tdx) {
    return refuse(Error::collateral_mismatch, "the QE identity is for SGX");
  }
  if (!info_authentic) return refuse(Error::bad_signature, "signature of TCB info");
  if (!qe_authentic) return refuse(Error::bad_signature, "signature of the QE identity");
  return "FMSPC " + to_hex(info.fmspc);
}

TdxVerification::Found TdxVerification::signatures() {
  const Quote& quote = inputs_.quote;
  if (inputs_.root_crl && !root_crl_signed_) {
    return refuse(Error::bad_signature, "signature of the root CRL");
  }
  if (inputs_.pck_crl && !pck_crl_signed_) {
    return refuse(Error::bad_signature, "signature of the PCK CRL");
  }
  if (!crypto::verify_ecdsa(Curve::p256, inputs_.pck.leaf.public_xy(), quote.qe_report_bytes,
                            quote.qe_report_signature)) {
    return refuse(Error::bad_signature, "signature of the QE report");
  }
  crypto::Sha256 bound;
  bound.update(quote.attestation_key).update(quote.qe_authentication_data);
  const Bytes claimed = quote.qe_report.report_data;
  if (!equal(bound.finish(), claimed.first(32)) || !all_zero(claimed.subspan(32))) {
    return refuse(Error::bad_signature, "the QE report names another attestation key");
  }
  if (!crypto::verify_ecdsa(Curve::p256, quote.attestation_key, quote.signed_part,
                            quote.signature)) {
    return refuse(Error::bad_signature, "signature of the quote");
  }
  appraisal_.claims = claims_of(inputs_, ca_);
  return std::string("all hold");
}

TdxVerification::Found TdxVerification::identities() {
  const TdReport& td = inputs_.quote.td;
  if (!matches(inputs_.qe_identity, inputs_.quote.qe_report)) {
    return refuse(Error::identity_mismatch, "the quoting enclave is not the one of the identity");
  }
  const uint8_t version = td.tee_tcb_svn[1];
  const ModuleIdentity* module = find_module(inputs_.tcb_info, version);
  if (version != 0 && module == nullptr) {
    return refuse(Error::no_tcb_level, "no TDX module version " + std::to_string(version));
  }
  const ModuleSigner& signer = version == 0 ? *inputs_.tcb_info.module : module->signer;
  if (td.mr_signer_seam != signer.mr_signer) {
    return refuse(Error::identity_mismatch, "MRSIGNERSEAM " + to_hex(td.mr_signer_seam));
  }
  for (size_t i = 0; i < td.seam_attributes.size(); ++i) {
    const uint8_t masked = td.seam_attributes[i] & signer.attributes_mask[i];
    if (td.seam_attributes[i] != 0 || masked != signer.attributes[i]) {
      return refuse(Error::identity_mismatch, "SEAMATTRIBUTES " + to_hex(td.seam_attributes));
    }
  }
  return std::string("both match");
}

// Of a module of version 0 only the platform level speaks.
Result<TcbStatus> TdxVerification::module_status() {
  const Fixed<16>& svn = inputs_.quote.td.tee_tcb_svn;
  if (svn[1] == 0) return TcbStatus::up_to_date;
  const ModuleIdentity* module = find_module(inputs_.tcb_info, svn[1]);
  const EnclaveLevel* level =
      module == nullptr ? nullptr : match_enclave_level(module->levels, svn[0]);
  if (level == nullptr) {
    return refuse(Error::no_tcb_level, "no level for TDX module SVN " + std::to_string(svn[0]));
  }
  add_advisories(level->at);
  appraisal_.claims.set("module_status", name(level->at.status));
  return level->at.status;
}

TdxVerification::Found TdxVerification::levels() {
  const TdReport& td = inputs_.quote.td;
  const PckExtension& platform = inputs_.platform;
  const EnclaveLevel* qe =
      match_enclave_level(inputs_.qe_identity.levels, inputs_.quote.qe_report.isv_svn);
  if (qe == nullptr) return refuse(Error::no_tcb_level, "no level for the quoting enclave");
  const auto module = module_status();
  if (!module) return std::unexpected(module.error());
  const PlatformMatch match = match_platform_level(inputs_.tcb_info.levels, platform.cpu_svn,
                                                   platform.pce_svn, td.tee_tcb_svn);
  if (match.tdx == nullptr) return refuse(Error::no_tcb_level, "no level for the platform");

  TcbStatus merged = merge(match.tdx->at.status, *module);
  if (td.v1_5) {
    const RelaunchInput input{qe->at.status, match.sgx->at.status, *module, merged,
                              td.v1_5->tee_tcb_svn_2};
    if (relaunch_advised(inputs_.tcb_info, input)) merged = relaunch_status(input);
  }
  appraisal_.status = merge(merged, qe->at.status);
  add_advisories(match.tdx->at);
  add_advisories(qe->at);
  appraisal_.claims.set("platform_status", name(match.tdx->at.status));
  appraisal_.claims.set("sgx_status", name(match.sgx->at.status));
  appraisal_.claims.set("qe_status", name(qe->at.status));
  appraisal_.claims.set("earliest_tcb_date", earliest_tcb_date_);
  return std::string(name(*appraisal_.status));
}

void TdxVerification::add_advisories(const LevelStatus& level) {
  std::vector<std::string>& all = appraisal_.advisories;
  all.insert(all.end(), level.advisories.begin(), level.advisories.end());
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  earliest_tcb_date_ = std::min(earliest_tcb_date_, level.tcb_date);
}

VerifiedEvidence TdxVerification::verified() const {
  const TdReport& td = inputs_.quote.td;
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::tdx_quote;
  fields.development = appraisal_.development;
  fields.status = *appraisal_.status;
  fields.advisories = appraisal_.advisories;
  fields.report_data = to_buffer(td.report_data);
  fields.measurement = to_buffer(td.mr_td);
  for (const Fixed<48>& rtmr : td.rtmr) fields.runtime_measurements.push_back(to_buffer(rtmr));
  fields.configuration = to_buffer(td.mr_config_id);
  fields.platform_id = to_buffer(inputs_.platform.ppid);
  fields.tcb_evaluation_number = inputs_.tcb_info.evaluation_number;
  fields.product = "TDX";
  fields.valid_until = valid_until_;
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

Verification verify_tdx_quote(Bytes quote, const Collateral& collateral, const VerifyPolicy& policy,
                              const Binding& binding, UnixSeconds now) {
  return TdxVerification(quote, collateral, policy, binding, now).run();
}

}  // namespace cloister::evidence::dcap
