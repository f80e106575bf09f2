#include "evidence/cca/verify.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "evidence/cca/token.h"
#include "evidence/common/binding.h"
#include "evidence/common/stages.h"
#include "evidence/common/verified_evidence_maker.h"

namespace cloister::evidence {
namespace {

// Platform lifecycle states (RMM, A7.2.3.2.3): secured is 0x3000 to 0x30FF.
constexpr uint16_t kSecuredLow = 0x3000, kSecuredHigh = 0x30FF;

class CcaVerification {
 public:
  CcaVerification(Bytes bytes, const Collateral& collateral, const Binding& binding)
      : bytes_(bytes), collateral_(collateral), binding_(binding) {}

  Verification run();

 private:
  using Found = Result<std::string>;

  Found parse();
  Found key();
  Found signatures();
  Found joined();
  Found lifecycle();
  Found bound() { return check_binding(binding_, std::nullopt, token_->realm.challenge); }

  void add_claims();
  VerifiedEvidence verified() const;

  const Bytes bytes_;
  const Collateral& collateral_;
  const Binding& binding_;

  std::optional<cca::Token> token_;
  Appraisal appraisal_;
};

Verification CcaVerification::run() {
  using T = CcaVerification;
  static constexpr Stage<T> kStages[] = {
      {"evidence_form", "a CCA token", &T::parse},
      {"platform_key", "a key that the caller vouches for", &T::key},
      {"evidence_signature", "both tokens are signed", &T::signatures},
      {"identity", "the platform names the realm's key", &T::joined},
      {"attributes", "a secured lifecycle", &T::lifecycle},
      {"nonce", "the expected challenge", &T::bound},
  };
  appraisal_.format = Format::cca_token;
  if (!run_stages(*this, kStages, appraisal_)) return {std::move(appraisal_), std::nullopt};
  appraisal_.status = TcbStatus::up_to_date;
  VerifiedEvidence evidence = verified();
  return {std::move(appraisal_), std::move(evidence)};
}

CcaVerification::Found CcaVerification::parse() {
  auto parsed = cca::parse_token(bytes_);
  if (!parsed) return std::unexpected(parsed.error());
  token_ = std::move(*parsed);
  return token_->platform.profile;
}

CcaVerification::Found CcaVerification::key() {
  if (collateral_.keys.empty()) return refuse(Error::collateral_missing, "no platform key");
  return std::to_string(collateral_.keys.size()) + " to choose from";
}

CcaVerification::Found CcaVerification::signatures() {
  const bool platform = std::ranges::any_of(collateral_.keys, [&](const crypto::PublicKey& key) {
    return cose::verify(token_->platform_message, key);
  });
  if (!platform) return refuse(Error::bad_signature, "signature of the platform token");
  if (!cose::verify(token_->realm_message, token_->realm.key)) {
    return refuse(Error::bad_signature, "signature of the realm token");
  }
  add_claims();
  return std::string("both hold");
}

// Both signatures can be good and the token still be put together from two.
CcaVerification::Found CcaVerification::joined() {
  const Buffer key_hash = crypto::hash(token_->realm.key_hash_algorithm, token_->realm.key_bytes);
  if (!equal(key_hash, token_->platform.challenge)) {
    return refuse(Error::identity_mismatch, "the platform token is for another realm key");
  }
  return std::string("it does");
}

CcaVerification::Found CcaVerification::lifecycle() {
  const uint16_t state = token_->platform.lifecycle;
  if (state >= kSecuredLow && state <= kSecuredHigh) return std::string("secured");
  return refuse(Error::policy_denied, "lifecycle " + std::to_string(state));
}

void CcaVerification::add_claims() {
  const cca::PlatformClaims& platform = token_->platform;
  const cca::RealmClaims& realm = token_->realm;
  JsonValue& claims = appraisal_.claims;
  claims.set("profile", platform.profile);
  claims.set("implementation_id", to_hex(platform.implementation_id));
  claims.set("instance_id", to_hex(platform.instance_id));
  claims.set("lifecycle", platform.lifecycle);
  claims.set("configuration", to_hex(platform.configuration));
  JsonValue components = JsonValue::Array{};
  for (const cca::SoftwareComponent& each : platform.software) {
    components.push(JsonValue::object({{"type", each.type},
                                       {"version", each.version},
                                       {"measurement", to_hex(each.measurement)},
                                       {"signer", to_hex(each.signer)}}));
  }
  claims.set("software_components", std::move(components));
  claims.set("realm_challenge", to_hex(realm.challenge));
  claims.set("realm_personalization_value", to_hex(realm.personalization_value));
  claims.set("realm_initial_measurement", to_hex(realm.initial_measurement));
  for (size_t i = 0; i < realm.extensible_measurements.size(); ++i) {
    claims.set("realm_extensible_measurement" + std::to_string(i),
               to_hex(realm.extensible_measurements[i]));
  }
}

VerifiedEvidence CcaVerification::verified() const {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::cca_token;
  fields.development = false;
  fields.status = TcbStatus::up_to_date;
  fields.nonce = to_buffer(token_->realm.challenge);
  fields.measurement = token_->realm.initial_measurement;
  fields.runtime_measurements = token_->realm.extensible_measurements;
  fields.configuration = to_buffer(token_->realm.personalization_value);
  fields.platform_id = to_buffer(token_->platform.instance_id);
  fields.product = "CCA";
  fields.valid_until = INT64_MAX;
  return VerifiedEvidenceMaker::make(std::move(fields));
}

}  // namespace

Verification verify_cca(Bytes token, const Collateral& collateral, const Binding& binding) {
  return CcaVerification(token, collateral, binding).run();
}

}  // namespace cloister::evidence
