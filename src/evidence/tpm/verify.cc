#include "evidence/tpm/verify.h"

#include <algorithm>

#include "base/text.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/tpm/quote.h"

namespace cloister::evidence {
namespace {

class TpmVerification {
 public:
  TpmVerification(Bytes envelope, const Collateral& collateral, const VerifyPolicy& policy,
                  const Binding& binding)
      : envelope_(envelope), collateral_(collateral), policy_(policy), binding_(binding) {}

  Verification run();

 private:
  using Found = Result<std::string>;

  Found parse();
  Found key();
  Found signature();
  Found selection();
  Found digest();
  Found bound() { return check_binding(binding_, std::nullopt, quote_->extra_data); }

  void add_claims();
  VerifiedEvidence verified() const;

  const Bytes envelope_;
  const Collateral& collateral_;
  const VerifyPolicy& policy_;
  const Binding& binding_;

  std::optional<tpm::Quote> quote_;
  crypto::HashKind digest_hash_{};
  Appraisal appraisal_;
};

Verification TpmVerification::run() {
  using T = TpmVerification;
  static constexpr Stage<T> kStages[] = {
      {"evidence_form", "a TPM 2.0 quote with its PCR values", &T::parse},
      {"attestation_key", "a key that the caller vouches for", &T::key},
      {"evidence_signature", "signed by that key", &T::signature},
      {"pcr_selection", "the bank and PCRs that policy demands", &T::selection},
      {"measurements", "the values that were quoted", &T::digest},
      {"nonce", "the expected challenge", &T::bound},
  };
  appraisal_.format = Format::tpm_quote;
  if (!run_stages(*this, kStages, appraisal_)) return {std::move(appraisal_), std::nullopt};
  appraisal_.status = TcbStatus::up_to_date;
  VerifiedEvidence evidence = verified();
  return {std::move(appraisal_), std::move(evidence)};
}

TpmVerification::Found TpmVerification::parse() {
  auto parsed = tpm::parse_quote(envelope_);
  if (!parsed) return std::unexpected(parsed.error());
  quote_ = std::move(*parsed);
  return std::to_string(quote_->selected.size()) + " PCRs";
}

TpmVerification::Found TpmVerification::key() {
  if (collateral_.keys.empty()) return refuse(Error::collateral_missing, "no attestation key");
  return std::to_string(collateral_.keys.size()) + " to choose from";
}

TpmVerification::Found TpmVerification::signature() {
  const auto signer = std::ranges::find_if(collateral_.keys, [&](const crypto::PublicKey& key) {
    const auto scheme = quote_->signature.scheme_for(key.kind());
    return scheme && key.verify(*scheme, quote_->message, quote_->signature.raw);
  });
  if (signer == collateral_.keys.end()) {
    return refuse(Error::bad_signature, "signature of the quote");
  }
  digest_hash_ = tpm::hash_of(*quote_->signature.scheme_for(signer->kind()));
  add_claims();
  return std::string("holds");
}

TpmVerification::Found TpmVerification::selection() {
  if (!policy_.tpm_selection) return std::string("not demanded");
  const PcrSelection& wanted = *policy_.tpm_selection;
  if (quote_->bank != wanted.bank) return refuse(Error::policy_denied, "PCRs of another bank");
  for (const uint8_t index : wanted.indices) {
    if (!std::ranges::binary_search(quote_->selected, index)) {
      return refuse(Error::policy_denied, "PCR " + std::to_string(index) + " is not quoted");
    }
  }
  return std::string("all are quoted");
}

TpmVerification::Found TpmVerification::digest() {
  ByteWriter values;
  for (const Buffer& value : quote_->pcrs) values.bytes(value);
  if (!equal(crypto::hash(digest_hash_, values.view()), quote_->pcr_digest)) {
    return refuse(Error::measurement_mismatch, "the digest of the values is not the quoted one");
  }
  JsonValue& claims = appraisal_.claims;
  for (size_t i = 0; i < quote_->pcrs.size(); ++i) {
    claims.set("pcr" + std::to_string(quote_->selected[i]), to_hex(quote_->pcrs[i]));
  }
  return std::string("their digest is the quoted one");
}

// The values themselves become claims once their digest has been compared.
void TpmVerification::add_claims() {
  JsonValue& claims = appraisal_.claims;
  claims.set("extra_data", to_hex(quote_->extra_data));
  claims.set("pcr_digest", to_hex(quote_->pcr_digest));
  claims.set("qualified_signer", to_hex(quote_->qualified_signer));
  claims.set("clock", quote_->clock_ms);
  claims.set("clock_safe", quote_->clock_safe);
  claims.set("reset_count", quote_->reset_count);
  claims.set("restart_count", quote_->restart_count);
  claims.set("firmware_version", quote_->firmware_version);
}

VerifiedEvidence TpmVerification::verified() const {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::tpm_quote;
  fields.development = false;
  fields.status = TcbStatus::up_to_date;
  fields.nonce = quote_->extra_data;
  fields.runtime_measurements = quote_->pcrs;
  fields.product = "TPM 2.0";
  fields.valid_until = INT64_MAX;
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

Verification verify_tpm_quote(Bytes envelope, const Collateral& collateral,
                              const VerifyPolicy& policy, const Binding& binding) {
  return TpmVerification(envelope, collateral, policy, binding).run();
}

}  // namespace cloister::evidence
