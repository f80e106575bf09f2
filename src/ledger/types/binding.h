// What an instance's evidence is bound to (30-channels, section 1).
#pragma once

#include "ledger/types/instance.h"

namespace cloister::ledger {

// Deterministic CBOR; its hash is in the evidence. Also what a connection's evidence commits to.
struct Claims : Record<Claims> {
  uint8_t role = kServer;
  InstanceId instance_id{};
  Hash32 spki_sha256{};
  Hash32 gpu_evidence_sha256{};  // gpu_evidence_digest
  Hash32 key_config_sha256{};
  Hash32 image_digest{};
  Hash32 config_digest{};         // of the effective configuration
  Hash32 boot_id{};               // random, made at start
  std::vector<ModelRoot> models;  // loaded; ascending

  static constexpr uint8_t kServer = 1, kClient = 2;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "role", r.role);
    v(2, "instance_id", r.instance_id);
    v(3, "spki_sha256", r.spki_sha256);
    v(4, "gpu_evidence_sha256", r.gpu_evidence_sha256);
    v(5, "key_config_sha256", r.key_config_sha256);
    v(6, "image_digest", r.image_digest);
    v(7, "config_digest", r.config_digest);
    v(8, "boot_id", r.boot_id);
    v(9, "models", r.models, kMaxModelsPerInstance);
  }
  bool operator==(const Claims&) const = default;
};

InstanceId instance_id_of(const Hash32& identity_key);  // SHA-256

// SHA-256 of the bytes of the last item, when that is the machine's GPUs; else zero.
Hash32 gpu_evidence_digest(std::span<const EvidenceItem> evidence);

// The items of the machine's CPUs: all but its GPUs, when they are the last.
std::span<const EvidenceItem> cpu_evidence(std::span<const EvidenceItem> evidence);

// RD_reg: the 64 bytes of report data in registration and renewal evidence.
//   SHA-512("cloister reg v1" ‖ 00 ‖ SHA-256(chain_id) ‖ instance_id ‖ operator ‖ block_hash ‖
//   u64be height
//           ‖ SPKI hash ‖ key configuration hash ‖ SHA-256(claims))
Fixed<64> registration_binding(std::string_view chain_id, const AccountId& operator_account,
                               const Hash32& block_hash, uint64_t block_height,
                               const Claims& claims);

// The GPU's nonce: SHA-256("cloister gpu v1" ‖ 00 ‖ RD_reg with gpu_evidence_sha256 zero).
Hash32 registration_gpu_nonce(std::string_view chain_id, const AccountId& operator_account,
                              const Hash32& block_hash, uint64_t block_height, Claims claims);

}  // namespace cloister::ledger
