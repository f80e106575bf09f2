#include "evidence/dcap/verify.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/dcap/claims.h"
#include "evidence/dcap/policy.h"
#include "evidence/dcap/tcb_verdict.h"

namespace cloister::evidence::dcap {
namespace {

// One verification. Stages run in a fixed order, each returns what it found or why it refuses, and
// the first refusal is the verdict.
class QuoteVerification {
 public:
  QuoteVerification(Tee tee, Bytes quote, const Prepared& prepared, const VerifyPolicy& policy,
                    const Binding& binding, UnixSeconds now)
      : tee_(tee),
        quote_(quote),
        prepared_(prepared),
        policy_(policy),
        binding_(binding),
        now_(now) {}

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
  Found debug() { return check_debug(inputs_.quote, policy_); }
  Found attributes() { return check_attributes(inputs_, appraisal_.advisories, policy_); }
  Found service_td() { return check_service_td(inputs_.quote, policy_); }
  Found status() { return check_status(*appraisal_.status, policy_); }
  Found report_data() { return check_binding(binding_, inputs_.quote.report_data(), std::nullopt); }

  Standing standing() const;
  VerifiedEvidence verified() const;

  const PckChain& pck() const { return inputs_.platform->chain; }
  const PckExtension& platform() const { return inputs_.platform->extension; }

  const Tee tee_;
  const Bytes quote_;
  const Prepared& prepared_;
  const VerifyPolicy& policy_;
  const Binding& binding_;
  const UnixSeconds now_;

  Inputs inputs_;
  TcbFacts facts_;
  PckCa ca_{};
  bool root_crl_signed_ = false;
  bool pck_crl_signed_ = false;
  UnixSeconds valid_until_ = 0;
  Appraisal appraisal_;
};

Verification QuoteVerification::run() {
  using T = QuoteVerification;
  static constexpr Stage<T> kStages[] = {
      {"evidence_form", "a quote and the collateral it needs", &T::parse},
      {"vendor_root", "a chain to the pinned Intel SGX Root CA", &T::chains},
      {"collateral_fresh", "every window holds at the time of judgement", &T::windows},
      {"revocation", "no certificate of the chains is revoked", &T::revocation},
      {"collateral_match", "collateral for this platform", &T::collateral_match},
      {"evidence_signature", "collateral, QE report and quote are signed", &T::signatures},
      {"identity", "Intel's quoting enclave, and for TDX its module", &T::identities},
      {"tcb_level", "a published TCB level matches", &T::levels},
      {"debug_off", "off", &T::debug},
      {"attributes", "allowed by policy", &T::attributes},
      {"service_td", "none", &T::service_td},
      {"tcb_status", "a status that policy accepts", &T::status},
      {"report_data", "the expected binding", &T::report_data},
  };
  appraisal_.format = tee_ == Tee::tdx ? Format::tdx_quote : Format::sgx_quote;
  if (!run_stages(*this, kStages, appraisal_)) return {std::move(appraisal_), std::nullopt};
  VerifiedEvidence evidence = verified();
  return {std::move(appraisal_), std::move(evidence)};
}

QuoteVerification::Found QuoteVerification::parse() {
  auto inputs = gather(quote_, tee_, prepared_, policy_, now_);
  if (!inputs) return std::unexpected(inputs.error());
  inputs_ = std::move(*inputs);
  return "quote version " + std::to_string(inputs_.quote.version);
}

QuoteVerification::Found QuoteVerification::chains() {
  const auto chain = check_pck_chain(pck(), policy_.anchors);
  if (!chain) return std::unexpected(chain.error());
  const auto signer = check_tcb_signer(*inputs_.tcb_signer, pck().root);
  if (!signer) return std::unexpected(signer.error());
  ca_ = chain->ca;
  appraisal_.development = chain->development;
  return std::string(chain->development ? "a development root: no hardware protection"
                                        : "Intel SGX Root CA");
}

QuoteVerification::Found QuoteVerification::windows() {
  const TcbInfo& info = *inputs_.tcb_info;
  const QeIdentity& qe = *inputs_.qe_identity;
  std::vector<Window> windows = {
      window_of("PCK certificate", pck().leaf),
      window_of("PCK CA", pck().intermediate),
      window_of("root", pck().root),
      window_of("TCB signing certificate", *inputs_.tcb_signer),
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
QuoteVerification::Found QuoteVerification::revocation() {
  const crypto::Crl* root_crl = inputs_.root_crl;
  const crypto::Crl* pck_crl = inputs_.pck_crl;
  root_crl_signed_ = root_crl != nullptr && root_crl->signed_by(pck().root);
  pck_crl_signed_ = pck_crl != nullptr && pck_crl->signed_by(pck().intermediate);
  if (root_crl_signed_ && root_crl->lists(pck().intermediate.serial())) {
    return refuse(Error::revoked, "the PCK CA is revoked");
  }
  if (root_crl_signed_ && root_crl->lists(inputs_.tcb_signer->serial())) {
    return refuse(Error::revoked, "the TCB signing certificate is revoked");
  }
  if (pck_crl_signed_ && pck_crl->lists(pck().leaf.serial())) {
    return refuse(Error::revoked, "the PCK certificate is revoked");
  }
  if (root_crl_signed_ && pck_crl_signed_) return std::string("none is listed");
  if (root_crl != nullptr && pck_crl != nullptr) {
    return std::string("a list is not signed by its issuer");
  }
  return std::string("not fully checked: policy allows absent lists");
}

QuoteVerification::Found QuoteVerification::collateral_match() {
  const TcbInfo& info = *inputs_.tcb_info;
  const QeIdentity& qe = *inputs_.qe_identity;
  const bool info_authentic = signed_by(info.document, *inputs_.tcb_signer);
  const bool qe_authentic = signed_by(qe.document, *inputs_.tcb_signer);
  if (inputs_.pck_crl == nullptr && inputs_.foreign_crl) {
    return refuse(Error::collateral_mismatch, "the CRL is of another PCK CA");
  }
  if (info_authentic && info.tee != tee_) {
    return refuse(Error::collateral_mismatch, "TCB info is for " + std::string(word(info.tee)));
  }
  if (info_authentic && info.fmspc != platform().fmspc) {
    return refuse(Error::collateral_mismatch, "TCB info is for FMSPC " + to_hex(info.fmspc) +
                                                  ", the platform is " + to_hex(platform().fmspc));
  }
  if (info_authentic && info.pce_id != platform().pce_id) {
    return refuse(Error::collateral_mismatch, "TCB info is for PCEID " + to_hex(info.pce_id));
  }
  if (qe_authentic && qe.tee != tee_) {
    return refuse(Error::collateral_mismatch,
                  "the QE identity is for " + std::string(word(qe.tee)));
  }
  if (!info_authentic) return refuse(Error::bad_signature, "signature of TCB info");
  if (!qe_authentic) return refuse(Error::bad_signature, "signature of the QE identity");
  return "FMSPC " + to_hex(info.fmspc);
}

QuoteVerification::Found QuoteVerification::signatures() {
  const Quote& quote = inputs_.quote;
  if (inputs_.root_crl != nullptr && !root_crl_signed_) {
    return refuse(Error::bad_signature, "signature of the root CRL");
  }
  if (inputs_.pck_crl != nullptr && !pck_crl_signed_) {
    return refuse(Error::bad_signature, "signature of the PCK CRL");
  }
  if (!pck().leaf.signed_message(quote.qe_report_bytes, quote.qe_report_signature)) {
    return refuse(Error::bad_signature, "signature of the QE report");
  }
  crypto::Sha256 bound;
  bound.update(quote.attestation_key).update(quote.qe_authentication_data);
  const Bytes claimed = quote.qe_report.report_data;
  if (!equal(bound.finish(), claimed.first(32)) || !all_zero(claimed.subspan(32))) {
    return refuse(Error::bad_signature, "the QE report names another attestation key");
  }
  if (!crypto::verify_ecdsa(crypto::Curve::p256, quote.attestation_key, quote.signed_part,
                            quote.signature)) {
    return refuse(Error::bad_signature, "signature of the quote");
  }
  appraisal_.claims = claims_of(inputs_, ca_);
  return std::string("all hold");
}

QuoteVerification::Found QuoteVerification::identities() {
  facts_ = facts_of(tee_, inputs_.quote, platform());
  const auto checked = check_identities(*inputs_.tcb_info, *inputs_.qe_identity, facts_);
  if (!checked) return std::unexpected(checked.error());
  return std::string(facts_.module ? "both match" : "the quoting enclave matches");
}

QuoteVerification::Found QuoteVerification::levels() {
  auto verdict = judge_tcb(*inputs_.tcb_info, *inputs_.qe_identity, facts_);
  if (!verdict) return std::unexpected(verdict.error());
  appraisal_.status = verdict->status;
  appraisal_.advisories = std::move(verdict->advisories);
  JsonValue& claims = appraisal_.claims;
  if (verdict->module) claims.set("module_status", name(*verdict->module));
  claims.set("platform_status", name(verdict->platform));
  claims.set("sgx_status", name(verdict->sgx));
  claims.set("qe_status", name(verdict->qe));
  claims.set("earliest_tcb_date", verdict->earliest_tcb_date);
  return std::string(name(verdict->status));
}

// The PCK CA is listed by the root, the platform's key by the PCK CA.
Standing QuoteVerification::standing() const {
  const Hash32 root = pck().root.spki_sha256(), ca = pck().intermediate.spki_sha256();
  return {appraisal_.format,
          root,
          {{false, root, entry_id(root, pck().intermediate.serial())},
           {true, ca, entry_id(ca, pck().leaf.serial())}},
          facts_.encode()};
}

VerifiedEvidence QuoteVerification::verified() const {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = appraisal_.format;
  fields.development = appraisal_.development;
  fields.status = *appraisal_.status;
  fields.advisories = appraisal_.advisories;
  fields.report_data = to_buffer(inputs_.quote.report_data());
  if (const TdReport* td = inputs_.quote.td()) {
    fields.measurement = to_buffer(td->mr_td);
    for (const Fixed<48>& rtmr : td->rtmr) fields.runtime_measurements.push_back(to_buffer(rtmr));
    fields.configuration = to_buffer(td->mr_config_id);
  } else {
    fields.measurement = to_buffer(inputs_.quote.enclave()->mr_enclave);
  }
  fields.platform_id = to_buffer(platform().ppid);
  fields.tcb_evaluation_number = inputs_.tcb_info->evaluation_number;
  fields.product = word(tee_);
  fields.valid_until = valid_until_;
  fields.standing = standing();
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

Verification verify_quote(Tee tee, Bytes quote, const Prepared& prepared,
                          const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  return QuoteVerification(tee, quote, prepared, policy, binding, now).run();
}

Verification verify_quote(Tee tee, Bytes quote, const Collateral& collateral,
                          const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  return verify_quote(tee, quote, Prepared(collateral), policy, binding, now);
}

}  // namespace cloister::evidence::dcap
