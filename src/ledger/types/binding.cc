#include "ledger/types/binding.h"

#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {

InstanceId instance_id_of(const Hash32& identity_key) {
  return crypto::sha256(identity_key);
}

Hash32 gpu_evidence_digest(std::span<const EvidenceItem> evidence) {
  const bool gpu = !evidence.empty() && evidence.back().format == kNvidiaGpuFormat;
  return gpu ? crypto::sha256(evidence.back().bytes) : Hash32{};
}

std::span<const EvidenceItem> cpu_evidence(std::span<const EvidenceItem> evidence) {
  const bool gpu = !evidence.empty() && evidence.back().format == kNvidiaGpuFormat;
  return gpu ? evidence.first(evidence.size() - 1) : evidence;
}

Fixed<64> registration_binding(std::string_view chain_id, const AccountId& operator_account,
                               const Hash32& block_hash, uint64_t block_height,
                               const Claims& claims) {
  ByteWriter out = tagged("cloister reg v1");
  out.bytes(chain_hash(chain_id)).bytes(claims.instance_id).bytes(operator_account);
  out.bytes(block_hash).u64_be(block_height);
  out.bytes(claims.spki_sha256).bytes(claims.key_config_sha256);
  out.bytes(crypto::sha256(claims.encode()));
  return crypto::sha512(out.view());
}

Hash32 registration_gpu_nonce(std::string_view chain_id, const AccountId& operator_account,
                              const Hash32& block_hash, uint64_t block_height, Claims claims) {
  claims.gpu_evidence_sha256 = {};
  const Fixed<64> binding =
      registration_binding(chain_id, operator_account, block_hash, block_height, claims);
  return crypto::sha256(tagged("cloister gpu v1").bytes(binding).view());
}

template struct Record<Claims>;

}  // namespace cloister::ledger
