// ML-KEM-768 (FIPS 203). The one seam to PQClean's C sources.
#pragma once

#include <optional>

#include "base/secret.h"

namespace cloister::crypto {

constexpr size_t kMlKemPublicBytes = 1184;
constexpr size_t kMlKemCiphertextBytes = 1088;
constexpr size_t kMlKemExpandedBytes = 2400;  // the decapsulation key
using MlKemPublic = Fixed<kMlKemPublicBytes>;
using MlKemCiphertext = Fixed<kMlKemCiphertextBytes>;

struct MlKemEncapsulated {
  MlKemCiphertext ciphertext;
  Secret<32> shared;
};

// `coins` must be fresh and uniform. Nothing when `key` encodes a coefficient that is not below q,
// the check of FIPS 203, 7.2.
std::optional<MlKemEncapsulated> mlkem_encapsulate(const MlKemPublic& key, const Secret<32>& coins);

class MlKemKey {
 public:
  // The seed d‖z (FIPS 203, 6.1).
  static MlKemKey from_seed(const Secret<64>& seed);
  // Test vectors hold expanded keys. Nothing when the key's hash of its own public half does not
  // hold (FIPS 203, 7.3) or a coefficient is not below q.
  static std::optional<MlKemKey> from_expanded_for_testing(
      std::span<const uint8_t, kMlKemExpandedBytes> expanded);

  const MlKemPublic& public_key() const { return public_; }
  // Never fails: a ciphertext that nobody made for this key gives a secret that nobody knows.
  Secret<32> decapsulate(const MlKemCiphertext& ciphertext) const;

 private:
  MlKemKey() = default;
  Secret<kMlKemExpandedBytes> expanded_;
  MlKemPublic public_{};
};

}  // namespace cloister::crypto
