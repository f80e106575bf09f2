#include "crypto/hpke/labeled.h"

#include "crypto/hash.h"

namespace cloister::crypto {

SecretBuffer labeled_extract(Bytes suite_id, Bytes salt, std::string_view label, Bytes input_key) {
  SecretBuffer labeled;
  for (Bytes part : {as_bytes("HPKE-v1"), suite_id, as_bytes(label), input_key}) {
    labeled.insert(labeled.end(), part.begin(), part.end());
  }
  return hkdf_extract(HashKind::sha256, salt, labeled);
}

SecretBuffer labeled_expand(Bytes suite_id, Bytes pseudo_random_key, std::string_view label,
                            Bytes info, size_t size) {
  ByteWriter labeled;
  labeled.u16_be(static_cast<uint16_t>(size)).text("HPKE-v1").bytes(suite_id).text(label);
  labeled.bytes(info);
  return hkdf_expand(HashKind::sha256, pseudo_random_key, labeled.view(), size);
}

}  // namespace cloister::crypto
