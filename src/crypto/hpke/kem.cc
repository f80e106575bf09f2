#include "crypto/hpke/kem.h"

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/hpke/labeled.h"
#include "crypto/mlkem/mlkem.h"
#include "crypto/x25519.h"

namespace cloister::crypto {
namespace {

constexpr std::string_view kXWingLabel = "\\.//^\\";

template <size_t N>
Secret<N> secret_of(Bytes bytes) {
  Secret<N> out;
  std::ranges::copy(bytes.first(N), out.reveal_mutable().begin());
  return out;
}

// ExtractAndExpand (RFC 9180, 4.1).
Secret<32> dhkem_secret(const Secret<32>& agreed, Bytes encapsulated, Bytes public_key) {
  ByteWriter suite;
  suite.text("KEM").u16_be(static_cast<uint16_t>(KemKind::x25519));
  ByteWriter context;
  context.bytes(encapsulated).bytes(public_key);
  const auto prk = labeled_extract(suite.view(), {}, "eae_prk", agreed.reveal());
  return secret_of<32>(labeled_expand(suite.view(), prk, "shared_secret", context.view(), 32));
}

// The combiner of X-Wing: both secrets, and what the one of X25519 was agreed with.
Secret<32> xwing_secret(const Secret<32>& of_mlkem, const Secret<32>& of_x25519,
                        const X25519Public& ephemeral, const X25519Public& recipient) {
  SecretBuffer all;
  for (Bytes part : {Bytes(of_mlkem.reveal()), Bytes(of_x25519.reveal()), Bytes(ephemeral),
                     Bytes(recipient), as_bytes(kXWingLabel)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return Secret<32>(sha3_256(all));
}

std::optional<Encapsulated> encapsulate_x25519(Bytes public_key, Random& random) {
  const auto ephemeral = X25519Key::generate(random);
  const auto agreed = ephemeral.agree(*to_fixed<32>(public_key));
  if (!agreed) return std::nullopt;
  return Encapsulated{to_buffer(ephemeral.public_key()),
                      dhkem_secret(*agreed, ephemeral.public_key(), public_key)};
}

std::optional<Encapsulated> encapsulate_xwing(Bytes public_key, Random& random) {
  const auto mlkem_public = *to_fixed<kMlKemPublicBytes>(public_key.first(kMlKemPublicBytes));
  const auto x_public = *to_fixed<32>(public_key.last(32));
  // In this order the random bytes are the draft's `eseed`.
  const Secret<32> coins(random.fixed<32>());
  const auto ephemeral = X25519Key::generate(random);
  const auto post_quantum = mlkem_encapsulate(mlkem_public, coins);
  const auto agreed = ephemeral.agree(x_public);
  if (!post_quantum || !agreed) return std::nullopt;
  ByteWriter out;
  out.bytes(post_quantum->ciphertext).bytes(ephemeral.public_key());
  return Encapsulated{
      out.take(), xwing_secret(post_quantum->shared, *agreed, ephemeral.public_key(), x_public)};
}

}  // namespace

std::optional<Encapsulated> encapsulate(KemKind kind, Bytes public_key, Random& random) {
  if (public_key.size() != kem_public_size(kind)) return std::nullopt;
  return kind == KemKind::x25519 ? encapsulate_x25519(public_key, random)
                                 : encapsulate_xwing(public_key, random);
}

struct KemKey::Parts {
  X25519Key x25519;
  std::optional<MlKemKey> mlkem;  // X-Wing only
};

KemKey::KemKey(KemKind kind, std::unique_ptr<Parts> parts) : kind_(kind), parts_(std::move(parts)) {
  ByteWriter out;
  if (parts_->mlkem) out.bytes(parts_->mlkem->public_key());
  public_ = out.bytes(parts_->x25519.public_key()).take();
}

KemKey::~KemKey() = default;
KemKey::KemKey(KemKey&&) noexcept = default;
KemKey& KemKey::operator=(KemKey&&) noexcept = default;

KemKey KemKey::generate(KemKind kind, Random& random) {
  return from_secret(kind, Secret<32>(random.fixed<32>()));
}

KemKey KemKey::from_secret(KemKind kind, const Secret<32>& secret) {
  if (kind == KemKind::x25519) {
    return {kind, std::make_unique<Parts>(Parts{X25519Key(secret), std::nullopt})};
  }
  const auto seeds = shake256(secret.reveal(), 96);  // d ‖ z ‖ the scalar of X25519
  return {kind, std::make_unique<Parts>(Parts{X25519Key(secret_of<32>(Bytes(seeds).subspan(64))),
                                              MlKemKey::from_seed(secret_of<64>(seeds))})};
}

std::optional<Secret<32>> KemKey::decapsulate(Bytes encapsulated) const {
  if (encapsulated.size() != kem_encapsulated_size(kind_)) return std::nullopt;
  const auto ephemeral = *to_fixed<32>(encapsulated.last(32));
  const auto agreed = parts_->x25519.agree(ephemeral);
  if (!agreed) return std::nullopt;
  if (kind_ == KemKind::x25519) return dhkem_secret(*agreed, encapsulated, public_);
  const auto post_quantum = parts_->mlkem->decapsulate(
      *to_fixed<kMlKemCiphertextBytes>(encapsulated.first(kMlKemCiphertextBytes)));
  return xwing_secret(post_quantum, *agreed, ephemeral, parts_->x25519.public_key());
}

}  // namespace cloister::crypto
