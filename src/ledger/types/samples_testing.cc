#include "ledger/types/samples_testing.h"

#include <algorithm>
#include <map>

#include "crypto/hash.h"

namespace cloister::ledger {

Hash32 hash_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

crypto::Ed25519Key make_key(std::string_view text) {
  return crypto::Ed25519Key::from_seed(Secret<32>(hash_of(text)));
}

const crypto::Ed25519Key& key_of(std::string_view text) {
  static std::map<std::string, crypto::Ed25519Key, std::less<>> known;
  const auto at = known.find(text);
  if (at != known.end()) return at->second;
  return known.emplace(text, make_key(text)).first->second;
}

Instance sample_instance() {
  Platform platform;
  platform.format = 1;
  platform.product = "TDX";
  platform.id_hash = hash_of("platform");
  platform.tcb_status = 2;
  platform.advisories = {"INTEL-SA-00001", "INTEL-SA-00002"};
  platform.tcb_evaluation_number = 17;
  platform.measurement = Buffer(48, 7);
  platform.runtime_measurements = {Buffer(48, 1), Buffer(48, 2)};
  platform.configuration = Buffer(48, 9);
  platform.development = true;
  Offer offer;
  offer.model_root = hash_of("model");
  offer.price_micro = 250'000;
  Instance out;
  out.id = hash_of("instance");
  out.operator_account = hash_of("operator");
  out.identity_key = hash_of("identity");
  out.spki_sha256 = hash_of("spki");
  out.key_config_sha256 = hash_of("key configuration");
  out.claims = {1, 2, 3};
  out.binding[5] = 5;
  out.evidence_sha256 = hash_of("evidence");
  out.platforms = {platform};
  out.development = true;
  out.endpoint = "node.example:8443";
  out.offers = {offer};
  out.capacity = 4;
  out.open_sessions = 1;
  out.policy_version = 1;
  out.registered_height = 10;
  out.verified_height = 20;
  out.expires_height = 1000;
  return out;
}

Session sample_session() {
  Session out;
  out.id = hash_of("session");
  out.user = hash_of("user");
  out.model_root = hash_of("model");
  out.requirement.formats = {1, 3};
  out.requirement.tcb_statuses = {1, 2};
  out.max_units = 100'000;
  out.price_cap_micro = 300'000;
  out.deposit_micro = 30'000;
  out.escrow_micro = 29'000;
  out.paid_micro = 1'000;
  out.lifetime_blocks = 100;
  out.allow_audit = true;
  out.state = SessionState::confirmed;
  out.opened_height = 3;
  out.request_height = 4;
  out.due_height = 104;
  out.instance = hash_of("instance");
  out.price_micro = 250'000;
  out.assigned_height = 6;
  out.confirmed_height = 8;
  out.verdict_id = hash_of("verdict");
  out.policy_version = 1;
  out.cumulative_units = 4'000;
  out.redraws = 1;
  out.requirement.diversity = 2;
  out.twin = twin_id(out.id);
  out.apart_formats = {3};
  out.excluded = {hash_of("other instance")};
  return out;
}

SampleNetwork sample_network(size_t validators) {
  SampleNetwork out;
  for (size_t i = 1; i <= validators; ++i)
    out.keys.push_back(make_key("validator " + std::to_string(i)));
  std::sort(out.keys.begin(), out.keys.end(),
            [](const auto& a, const auto& b) { return a.public_key() < b.public_key(); });
  SeededRandom random(1);
  Dealt dealt = deal_beacon(validators, random);
  Genesis& g = out.genesis;
  g.chain_id = "cloister-test-1";
  g.time_ms = 1'700'000'000'000;
  g.embedded = validators == 1;
  g.development = true;
  g.development_intel = {hash_of("development root")};
  for (size_t i = 0; i < out.keys.size(); ++i) {
    Validator validator;
    validator.public_key = out.keys[i].public_key();
    validator.power = 10;
    if (!g.embedded) {
      validator.operator_account = key_of("backer " + std::to_string(i + 1)).public_key();
    }
    g.validators.push_back(validator);
  }
  g.beacon = std::move(dealt.keys);
  out.secrets = std::move(dealt.secrets);
  Model model;
  model.root = hash_of("model");
  model.name = "model";
  model.licence = "Apache-2.0";
  model.quantization = "Q4_K_M";
  model.context_length = 2048;
  g.models = {model};
  Release release;
  release.name = "cloister-node test";
  release.format = 1;
  release.measurement = Buffer(48, 7);
  g.policy.accepted_statuses = {1, 2};
  g.policy.releases = {release};
  g.policy.allow_development = true;
  return out;
}

}  // namespace cloister::ledger
