// The attestation token of the Arm Confidential Compute Architecture (Realm Management Monitor
// specification, A7.2; draft-ffm-rats-cca-token): a platform token and a realm token, each a
// COSE_Sign1 over a map of claims.
#pragma once

#include "crypto/hash.h"
#include "evidence/cose/sign1.h"

namespace cloister::evidence::cca {

constexpr size_t kMaxSoftwareComponents = 64;
constexpr size_t kMaxConfigurationBytes = 1024;
constexpr size_t kMaxTextBytes = 256;
constexpr size_t kRealmMeasurements = 4;

struct SoftwareComponent {
  std::string type, version, hash_algorithm;  // empty when absent
  Buffer measurement, signer;
};

struct PlatformClaims {
  std::string profile;
  Buffer challenge;  // the hash of the realm's key
  Fixed<32> implementation_id;
  Fixed<33> instance_id;
  Buffer configuration;
  uint16_t lifecycle;
  std::string hash_algorithm;
  std::vector<SoftwareComponent> software;
};

struct RealmClaims {
  Fixed<64> challenge;
  Fixed<64> personalization_value;
  crypto::PublicKey key;
  Bytes key_bytes;  // as they stand in the token: what the platform's hash is of
  crypto::HashKind key_hash_algorithm;  // of the binding
  crypto::HashKind hash_algorithm;      // of the measurements
  Buffer initial_measurement;
  std::vector<Buffer> extensible_measurements;  // four
};

// Nothing here is authentic before both signatures and the binding hold. Views of the evidence.
struct Token {
  cose::Sign1 platform_message, realm_message;
  PlatformClaims platform;
  RealmClaims realm;
};

// `malformed`: another shape, an absent, unknown or repeated claim, a length that does not fit its
// algorithm. `unsupported`: another profile, hash or signature algorithm, a key not of P-256 or
// P-384.
Result<Token> parse_token(Bytes bytes);

}  // namespace cloister::evidence::cca
