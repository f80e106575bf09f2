#include "evidence/nitro/verify.h"

#include "base/text.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/nitro/chain.h"

namespace cloister::evidence {
namespace {

using nitro::Document;

class NitroVerification {
 public:
  NitroVerification(Bytes bytes, const VerifyPolicy& policy, const Binding& binding,
                    UnixSeconds now)
      : bytes_(bytes), policy_(policy), binding_(binding), now_(now) {}

  Verification run();

 private:
  using Found = Result<std::string>;

  Found parse();
  Found chain();
  Found windows();
  Found signature();
  Found debug();
  Found age();
  Found bound() {
    return check_binding(binding_, lent(document_->user_data), lent(document_->nonce));
  }

  static std::optional<Bytes> lent(const std::optional<Buffer>& field) {
    return field ? std::optional<Bytes>(*field) : std::nullopt;
  }
  bool debug_mode() const;
  void add_claims();
  VerifiedEvidence verified() const;

  const Bytes bytes_;
  const VerifyPolicy& policy_;
  const Binding& binding_;
  const UnixSeconds now_;

  std::optional<Document> document_;
  UnixSeconds valid_until_ = 0;
  Appraisal appraisal_;
};

Verification NitroVerification::run() {
  using T = NitroVerification;
  static constexpr Stage<T> kStages[] = {
      {"evidence_form", "a Nitro attestation document", &T::parse},
      {"vendor_root", "a chain to the pinned AWS Nitro root", &T::chain},
      {"collateral_fresh", "every certificate holds at the time of judgement", &T::windows},
      {"evidence_signature", "signed by the leaf", &T::signature},
      {"debug_off", "off", &T::debug},
      {"attributes", "allowed by policy", &T::age},
      {"report_data", "the expected binding", &T::bound},
  };
  appraisal_.format = Format::nitro;
  if (!run_stages(*this, kStages, appraisal_)) return {std::move(appraisal_), std::nullopt};
  appraisal_.status = TcbStatus::up_to_date;
  VerifiedEvidence evidence = verified();
  return {std::move(appraisal_), std::move(evidence)};
}

NitroVerification::Found NitroVerification::parse() {
  auto parsed = nitro::parse_document(bytes_);
  if (!parsed) return std::unexpected(parsed.error());
  document_ = std::move(*parsed);
  return "of module " + document_->module_id;
}

NitroVerification::Found NitroVerification::chain() {
  const auto development = nitro::check_chain(*document_, policy_.anchors);
  if (!development) return std::unexpected(development.error());
  appraisal_.development = *development;
  return std::string(*development ? "a development root: no hardware protection"
                                  : "AWS Nitro Enclaves root G1");
}

NitroVerification::Found NitroVerification::windows() {
  const auto until = nitro::check_windows(*document_, now_);
  if (!until) return std::unexpected(until.error());
  valid_until_ = *until;
  return "until " + utc_text(*until);
}

NitroVerification::Found NitroVerification::signature() {
  const auto key = crypto::PublicKey::from_spki_der(document_->leaf.spki_der());
  if (!key || !cose::verify(document_->message, *key)) {
    return refuse(Error::bad_signature, "signature of the document");
  }
  add_claims();
  return std::string("holds");
}

// An enclave in debug mode has zeros where its image's measurements would be.
bool NitroVerification::debug_mode() const {
  for (uint8_t i = 0; i < 3; ++i) {
    const auto pcr = document_->pcrs.find(i);
    if (pcr != document_->pcrs.end() && !all_zero(pcr->second)) return false;
  }
  return true;
}

NitroVerification::Found NitroVerification::debug() {
  if (!debug_mode()) return std::string("off");
  if (policy_.allow_debug) return std::string("on, allowed by policy");
  return refuse(Error::debug_enabled, "PCR0, PCR1 and PCR2 are zero");
}

NitroVerification::Found NitroVerification::age() {
  const auto made_at = static_cast<UnixSeconds>(document_->timestamp_ms / 1000);
  if (policy_.max_nitro_age_s) {
    const bool fresh =
        made_at <= now_ && static_cast<uint64_t>(now_ - made_at) <= *policy_.max_nitro_age_s;
    if (!fresh) return refuse(Error::policy_denied, "made at " + utc_text(made_at));
  }
  return "made at " + utc_text(made_at);
}

void NitroVerification::add_claims() {
  JsonValue& claims = appraisal_.claims;
  claims.set("module_id", document_->module_id);
  claims.set("timestamp", document_->timestamp_ms);
  for (const auto& [index, value] : document_->pcrs) {
    claims.set("pcr" + std::to_string(index), to_hex(value));
  }
  if (document_->user_data) claims.set("user_data", to_hex(*document_->user_data));
  if (document_->nonce) claims.set("nonce", to_hex(*document_->nonce));
  if (document_->public_key) claims.set("public_key", to_hex(*document_->public_key));
}

VerifiedEvidence NitroVerification::verified() const {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::nitro;
  fields.development = appraisal_.development;
  fields.status = TcbStatus::up_to_date;
  fields.report_data = document_->user_data.value_or(Buffer{});
  fields.nonce = document_->nonce.value_or(Buffer{});
  const auto image = document_->pcrs.find(0);
  if (image != document_->pcrs.end()) fields.measurement = image->second;
  for (const auto& [index, value] : document_->pcrs) fields.runtime_measurements.push_back(value);
  fields.product = "Nitro";
  fields.valid_until = valid_until_;
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

Verification verify_nitro(Bytes document, const VerifyPolicy& policy, const Binding& binding,
                          UnixSeconds now) {
  return NitroVerification(document, policy, binding, now).run();
}

}  // namespace cloister::evidence
