#include "channel/sealed/chunks.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cloister::sealed {

ChunkKey derive_chunk_key(Bytes salt, Bytes secret, std::string_view key_label,
                          std::string_view nonce_label) {
  using crypto::HashKind;
  const auto prk = crypto::hkdf_extract(HashKind::sha256, salt, secret);
  ChunkKey out;
  out.key =
      crypto::hkdf_expand(HashKind::sha256, prk, as_bytes(key_label), crypto::aead_key_size(kAead));
  const auto nonce =
      crypto::hkdf_expand(HashKind::sha256, prk, as_bytes(nonce_label), crypto::kAeadNonceBytes);
  std::ranges::copy(nonce, out.base_nonce.begin());
  return out;
}

}  // namespace cloister::sealed
