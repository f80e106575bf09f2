#include "crypto/mlkem/mlkem.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/hash.h"

extern "C" {
#include <kem.h>
#include <params.h>

// All randomness is handed in; the functions of PQClean that would ask for some are never called.
int PQCLEAN_randombytes(uint8_t*, size_t) {
  std::abort();
}
}

namespace cloister::crypto {
namespace {

static_assert(KYBER_PUBLICKEYBYTES == kMlKemPublicBytes);
static_assert(KYBER_CIPHERTEXTBYTES == kMlKemCiphertextBytes);
static_assert(KYBER_SECRETKEYBYTES == kMlKemExpandedBytes);

constexpr uint16_t kQ = 3329;
constexpr size_t kVectorBytes = 1152;  // 3 polynomials of 256 coefficients, 12 bits each
constexpr size_t kPublicHashAt = kVectorBytes + kMlKemPublicBytes;

// PQClean leaves secrets in its stack frames; this is deeper than any of them.
struct WipeStack {
  ~WipeStack() { sodium_stackzero(32 * 1024); }
};

// Whether the coefficients of an encoded vector are reduced.
bool below_modulus(std::span<const uint8_t, kVectorBytes> key) {
  bool all = true;
  for (size_t at = 0; at < kVectorBytes; at += 3) {
    const unsigned low = key[at] | (key[at + 1] & 0x0fu) << 8;
    const unsigned high = key[at + 1] >> 4 | static_cast<unsigned>(key[at + 2]) << 4;
    all = all && low < kQ && high < kQ;
  }
  return all;
}

}  // namespace

std::optional<MlKemEncapsulated> mlkem_encapsulate(const MlKemPublic& key,
                                                   const Secret<32>& coins) {
  if (!below_modulus(std::span(key).first<kVectorBytes>())) return std::nullopt;
  const WipeStack wipe_stack;
  MlKemEncapsulated out;
  PQCLEAN_MLKEM768_CLEAN_crypto_kem_enc_derand(
      out.ciphertext.data(), out.shared.reveal_mutable().data(), key.data(), coins.reveal().data());
  return out;
}

MlKemKey MlKemKey::from_seed(const Secret<64>& seed) {
  const WipeStack wipe_stack;
  MlKemKey out;
  PQCLEAN_MLKEM768_CLEAN_crypto_kem_keypair_derand(
      out.public_.data(), out.expanded_.reveal_mutable().data(), seed.reveal().data());
  return out;
}

std::optional<MlKemKey> MlKemKey::from_expanded_for_testing(
    std::span<const uint8_t, kMlKemExpandedBytes> expanded) {
  const auto public_half = expanded.subspan<kVectorBytes, kMlKemPublicBytes>();
  const auto said = expanded.subspan<kPublicHashAt, 32>();
  const bool reduced = below_modulus(expanded.first<kVectorBytes>()) &&
                       below_modulus(public_half.first<kVectorBytes>());
  if (!reduced || !equal(sha3_256(public_half), said)) return std::nullopt;
  MlKemKey out;
  std::ranges::copy(expanded, out.expanded_.reveal_mutable().begin());
  std::ranges::copy(public_half, out.public_.begin());
  return out;
}

Secret<32> MlKemKey::decapsulate(const MlKemCiphertext& ciphertext) const {
  const WipeStack wipe_stack;
  Secret<32> out;
  PQCLEAN_MLKEM768_CLEAN_crypto_kem_dec(out.reveal_mutable().data(), ciphertext.data(),
                                        expanded_.reveal().data());
  return out;
}

}  // namespace cloister::crypto
