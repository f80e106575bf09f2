#include "crypto/aead.h"

#include "crypto/openssl.h"

namespace cloister::crypto {

struct AeadContext {
  Owned<EVP_CIPHER_CTX> cipher{EVP_CIPHER_CTX_new()};
};

namespace {

const EVP_CIPHER* fetched(const char* name) {
  const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
  require(cipher != nullptr);
  return cipher;
}

const EVP_CIPHER* cipher_of(AeadKind kind) {
  static const EVP_CIPHER* const kAes128 = fetched("AES-128-GCM");
  static const EVP_CIPHER* const kAes256 = fetched("AES-256-GCM");
  static const EVP_CIPHER* const kChaCha = fetched("ChaCha20-Poly1305");
  switch (kind) {
    case AeadKind::aes_128_gcm:
      return kAes128;
    case AeadKind::aes_256_gcm:
      return kAes256;
    case AeadKind::chacha20_poly1305:
      return kChaCha;
  }
  std::abort();
}

std::unique_ptr<AeadContext> keyed(AeadKind kind, Bytes key, int encrypt) {
  require(key.size() == aead_key_size(kind));
  auto context = std::make_unique<AeadContext>();
  require(EVP_CipherInit_ex2(context->cipher.get(), cipher_of(kind), key.data(), nullptr, encrypt,
                             nullptr) == 1);
  return context;
}

// EVP counts in int; no message here comes near its limit.
int length(Bytes bytes) {
  require(bytes.size() < (size_t{1} << 30));
  return static_cast<int>(bytes.size());
}

// The nonce, then the associated data, then the text from `in` to `out`.
void process(EVP_CIPHER_CTX* cipher, const AeadNonce& nonce, Bytes associated, Bytes in,
             uint8_t* out) {
  int size = 0;
  require(EVP_CipherInit_ex2(cipher, nullptr, nullptr, nonce.data(), -1, nullptr) == 1);
  if (!associated.empty()) {
    require(EVP_CipherUpdate(cipher, nullptr, &size, associated.data(), length(associated)) == 1);
  }
  if (!in.empty()) require(EVP_CipherUpdate(cipher, out, &size, in.data(), length(in)) == 1);
}

}  // namespace

AeadSealer::AeadSealer(AeadKind kind, Bytes key) : context_(keyed(kind, key, 1)) {}
AeadSealer::~AeadSealer() = default;
AeadSealer::AeadSealer(AeadSealer&&) noexcept = default;
AeadSealer& AeadSealer::operator=(AeadSealer&&) noexcept = default;

void AeadSealer::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext,
                      std::span<uint8_t> out) {
  require(out.size() == plaintext.size() + kAeadTagBytes);
  EVP_CIPHER_CTX* cipher = context_->cipher.get();
  process(cipher, nonce, associated, plaintext, out.data());
  uint8_t none[kAeadTagBytes];  // stream ciphers have nothing left to write
  int size = 0;
  require(EVP_CipherFinal_ex(cipher, none, &size) == 1 && size == 0);
  require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes,
                              out.last(kAeadTagBytes).data()) == 1);
}

AeadOpener::AeadOpener(AeadKind kind, Bytes key) : context_(keyed(kind, key, 0)) {}
AeadOpener::~AeadOpener() = default;
AeadOpener::AeadOpener(AeadOpener&&) noexcept = default;
AeadOpener& AeadOpener::operator=(AeadOpener&&) noexcept = default;

bool AeadOpener::open(const AeadNonce& nonce, Bytes associated, Bytes sealed,
                      std::span<uint8_t> out) {
  if (sealed.size() < kAeadTagBytes) return false;
  require(out.size() == sealed.size() - kAeadTagBytes);
  const ClearErrors clear;
  EVP_CIPHER_CTX* cipher = context_->cipher.get();
  process(cipher, nonce, associated, sealed.first(out.size()), out.data());
  Fixed<kAeadTagBytes> tag = *to_fixed<kAeadTagBytes>(sealed.last(kAeadTagBytes));
  require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1);
  uint8_t none[kAeadTagBytes];
  int size = 0;
  if (EVP_CipherFinal_ex(cipher, none, &size) == 1) return true;
  wipe(out.data(), out.size());
  return false;
}

}  // namespace cloister::crypto
