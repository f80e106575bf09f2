// A program in a TEE that serves models, as the ledger verified it.
#pragma once

#include "ledger/types/account.h"

namespace cloister::ledger {

struct EvidenceItem : Record<EvidenceItem> {
  uint8_t format = 0;  // evidence/common/evidence.h
  Buffer bytes;        // of kNvidiaGpuFormat: a CMW collection of all devices (30-channels, 2)

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "format", r.format);
    v(2, "bytes", r.bytes, kMaxEvidenceItemBytes);
  }
  bool operator==(const EvidenceItem&) const = default;
};

// SHA-256("cloister evidence v1" ‖ 00 ‖ for each item: u8 format ‖ u32be length ‖ bytes).
Hash32 evidence_hash(std::span<const EvidenceItem> items);

// SHA-256("cloister platform v1" ‖ 00 ‖ SHA-256(chain_id) ‖ u8 format ‖ platform id): names one
// machine on this chain and on no other. A platform id has few bits of secrecy where its vendor
// numbers chips in order, so this hides it from the eye, not from a search.
Hash32 platform_id_hash(std::string_view chain_id, uint8_t format, Bytes platform_id);

// What verification established of one CPU, GPU or switch.
struct Platform : Record<Platform> {
  uint8_t format = 0;
  std::string product;
  Hash32 id_hash{};
  uint8_t tcb_status = 0;
  std::vector<std::string> advisories;
  uint64_t tcb_evaluation_number = 0;
  Buffer measurement;
  std::vector<Buffer> runtime_measurements;
  Buffer configuration;
  bool development = false;                      // simulated: no hardware protection
  std::string driver_version, firmware_version;  // of devices

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "format", r.format);
    v(2, "product", r.product, kMaxNameBytes);
    v(3, "id_hash", r.id_hash);
    v(4, "tcb_status", r.tcb_status);
    v(5, "advisories", r.advisories, kMaxAdvisories, kMaxAdvisoryBytes);
    v(6, "tcb_evaluation_number", r.tcb_evaluation_number);
    v(7, "measurement", r.measurement, kMaxMeasurementBytes);
    v(8, "runtime_measurements", r.runtime_measurements, kMaxRuntimeMeasurements,
      kMaxMeasurementBytes);
    v(9, "configuration", r.configuration, kMaxMeasurementBytes);
    v(10, "development", r.development);
    v(11, "driver_version", r.driver_version, kMaxVersionBytes);
    v(12, "firmware_version", r.firmware_version, kMaxVersionBytes);
  }
  bool operator==(const Platform&) const = default;
};

struct Offer : Record<Offer> {
  ModelRoot model_root{};
  uint64_t price_micro = 0;  // for a million units

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "model_root", r.model_root);
    v(2, "price_micro", r.price_micro);
  }
  bool operator==(const Offer&) const = default;
};

// Of a live instance, for each of its platforms in order: what the vendor may still take back, as
// the verifier wrote it. Empty: nothing. Opaque to the ledger.
struct Standings : Record<Standings> {
  std::vector<Buffer> items;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "items", r.items, kMaxPlatformsPerInstance, kMaxStandingBytes);
  }
  bool operator==(const Standings&) const = default;
};

struct Instance : Record<Instance> {
  InstanceId id{};
  AccountId operator_account{};
  Hash32 identity_key{};       // Ed25519; signs receipts
  Hash32 spki_sha256{};        // of the TLS leaf
  Hash32 key_config_sha256{};  // of the first sealed-message key configuration
  Buffer claims;               // CBOR, ledger/types/binding.h
  Fixed<64> binding{};         // RD_reg that the evidence carries
  Hash32 evidence_sha256{};    // evidence_hash
  std::vector<Platform> platforms;
  bool development = false;    // any platform is simulated
  std::string endpoint;        // host:port
  std::vector<Offer> offers;   // ascending by model
  uint32_t capacity = 0;       // sessions at a time
  uint32_t open_sessions = 0;  // assigned, confirmed or closing
  InstanceState state = InstanceState::active;
  uint64_t policy_version = 0;  // under which it was last verified
  uint64_t registered_height = 0;
  uint64_t verified_height = 0;
  uint64_t expires_height = 0;
  bool draining = false;            // no new sessions, for good
  uint64_t active_since = 0;        // height from which it has been active without a break
  uint32_t epoch_misses = 0;        // jobs let down since the last reward
  uint64_t key_epoch = 0;           // of the newest KeyConfig in family keys; 0: none yet
  std::optional<Hash32> gpu_nonce;  // that its GPUs answered; nothing without a GPU

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "operator_account", r.operator_account);
    v(3, "identity_key", r.identity_key);
    v(4, "spki_sha256", r.spki_sha256);
    v(5, "key_config_sha256", r.key_config_sha256);
    v(6, "claims", r.claims, kMaxClaimsBytes);
    v(7, "binding", r.binding);
    v(8, "evidence_sha256", r.evidence_sha256);
    v(9, "platforms", r.platforms, kMaxPlatformsPerInstance);
    v(10, "development", r.development);
    v(11, "endpoint", r.endpoint, kMaxEndpointBytes);
    v(12, "offers", r.offers, kMaxModelsPerInstance);
    v(13, "capacity", r.capacity);
    v(14, "open_sessions", r.open_sessions);
    v(15, "state", r.state);
    v(16, "policy_version", r.policy_version);
    v(17, "registered_height", r.registered_height);
    v(18, "verified_height", r.verified_height);
    v(19, "expires_height", r.expires_height);
    v(20, "draining", r.draining);
    v(21, "key_epoch", r.key_epoch);
    v(22, "active_since", r.active_since);
    v(23, "epoch_misses", r.epoch_misses);
    v(24, "gpu_nonce", r.gpu_nonce);
  }
  bool operator==(const Instance&) const = default;

  const Offer* offer_for(const ModelRoot& model_root) const;  // null when it does not serve it
};

// Keys of the sealed-message format for one epoch, which their instance signed (30-channels,
// section 1). The configuration is opaque to the ledger.
struct KeyConfig : Record<KeyConfig> {
  uint64_t epoch = 0;  // rises by any step, never falls
  uint64_t valid_from_ms = 0;
  uint64_t valid_until_ms = 0;
  Buffer config;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "epoch", r.epoch);
    v(2, "valid_from_ms", r.valid_from_ms);
    v(3, "valid_until_ms", r.valid_until_ms);
    v(4, "config", r.config, kMaxKeyConfigBytes);
  }
  bool operator==(const KeyConfig&) const = default;
};

// The newest epochs of one instance, ascending: the older one stays until the next rotation, for
// requests that are under way.
struct KeySet : Record<KeySet> {
  std::vector<KeyConfig> epochs;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "epochs", r.epochs, kKeyEpochs);
  }
  bool operator==(const KeySet&) const = default;
};

}  // namespace cloister::ledger
