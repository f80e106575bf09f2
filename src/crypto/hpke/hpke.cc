#include "crypto/hpke/hpke.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/hpke/labeled.h"

namespace cloister::crypto {
namespace {

constexpr uint8_t kModeBase = 0;

// KeySchedule for the base mode (RFC 9180, 5.1): no pre-shared key, so psk and psk_id are empty.
HpkeSecrets key_schedule(KemKind kem, AeadKind aead, const Secret<32>& shared, Bytes info) {
  HpkeSecrets out;
  ByteWriter suite;
  suite.text("HPKE").u16_be(static_cast<uint16_t>(kem)).u16_be(kHpkeKdfSha256);
  out.suite_id = suite.u16_be(static_cast<uint16_t>(aead)).take();
  ByteWriter context;
  context.u8(kModeBase);
  context.bytes(labeled_extract(out.suite_id, {}, "psk_id_hash", {}));
  context.bytes(labeled_extract(out.suite_id, {}, "info_hash", info));
  const auto secret = labeled_extract(out.suite_id, shared.reveal(), "secret", {});
  auto expand = [&](std::string_view label, size_t size) {
    return labeled_expand(out.suite_id, secret, label, context.view(), size);
  };
  out.key = expand("key", aead_key_size(aead));
  std::ranges::copy(expand("base_nonce", kAeadNonceBytes), out.base_nonce.begin());
  out.exporter = expand("exp", 32);
  return out;
}

SecretBuffer exported(const HpkeSecrets& secrets, std::string_view context, size_t size) {
  return labeled_expand(secrets.suite_id, secrets.exporter, "sec", as_bytes(context), size);
}

}  // namespace

std::string_view describe(HpkeError error) {
  switch (error) {
    case HpkeError::bad_public_key:
      return "the public key is not one of its kind";
    case HpkeError::bad_encapsulated:
      return "the encapsulated key is not one of its kind";
    case HpkeError::not_authentic:
      return "the message does not authenticate";
  }
  std::abort();
}

AeadNonce numbered_nonce(const AeadNonce& base, uint64_t sequence) {
  AeadNonce out = base;
  for (size_t i = 0; i < 8; ++i) out[11 - i] ^= static_cast<uint8_t>(sequence >> (8 * i));
  return out;
}

HpkeSender::HpkeSender(Buffer encapsulated, AeadKind aead, HpkeSecrets secrets)
    : encapsulated_(std::move(encapsulated)),
      secrets_(std::move(secrets)),
      sealer_(aead, secrets_.key) {
  SecretBuffer().swap(secrets_.key);  // the cipher has it
}

std::expected<HpkeSender, HpkeError> HpkeSender::setup(KemKind kem, AeadKind aead, Bytes public_key,
                                                       Bytes info, Random& random) {
  auto made = encapsulate(kem, public_key, random);
  if (!made) return std::unexpected(HpkeError::bad_public_key);
  return HpkeSender(std::move(made->encapsulated), aead,
                    key_schedule(kem, aead, made->shared, info));
}

void HpkeSender::seal(Bytes associated, Bytes plaintext, std::span<uint8_t> out) {
  if (sequence_ == UINT64_MAX) std::abort();
  sealer_.seal(numbered_nonce(secrets_.base_nonce, sequence_++), associated, plaintext, out);
}

SecretBuffer HpkeSender::export_secret(std::string_view context, size_t size) const {
  return exported(secrets_, context, size);
}

HpkeRecipient::HpkeRecipient(AeadKind aead, HpkeSecrets secrets)
    : secrets_(std::move(secrets)), opener_(aead, secrets_.key) {
  SecretBuffer().swap(secrets_.key);
}

std::expected<HpkeRecipient, HpkeError> HpkeRecipient::setup(const KemKey& key, AeadKind aead,
                                                             Bytes encapsulated, Bytes info) {
  const auto shared = key.decapsulate(encapsulated);
  if (!shared) return std::unexpected(HpkeError::bad_encapsulated);
  return HpkeRecipient(aead, key_schedule(key.kind(), aead, *shared, info));
}

std::expected<void, HpkeError> HpkeRecipient::open(Bytes associated, Bytes sealed,
                                                   std::span<uint8_t> out) {
  if (sequence_ == UINT64_MAX) return std::unexpected(HpkeError::not_authentic);
  const auto nonce = numbered_nonce(secrets_.base_nonce, sequence_);
  if (!opener_.open(nonce, associated, sealed, out)) {
    return std::unexpected(HpkeError::not_authentic);
  }
  ++sequence_;
  return {};
}

SecretBuffer HpkeRecipient::export_secret(std::string_view context, size_t size) const {
  return exported(secrets_, context, size);
}

}  // namespace cloister::crypto
