#include "ledger/types/beacon.h"

#include <sodium.h>

#include "base/cbor.h"
#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

using Point = Hash32;
using Scalar = Hash32;

void require(bool held) {
  if (!held) std::abort();  // our own mistake: inputs were checked before
}

Buffer message(std::string_view chain_id, uint64_t epoch, uint64_t height) {
  CborWriter out;
  out.map(3).key(1).text(chain_id).key(2).u64(epoch).key(3).u64(height);
  return out.take();
}

Scalar reduce(const Fixed<64>& wide) {
  Scalar out;
  crypto_core_ristretto255_scalar_reduce(out.data(), wide.data());
  return out;
}

bool canonical(const Scalar& scalar) {
  Fixed<64> wide{};
  std::memcpy(wide.data(), scalar.data(), 32);
  return reduce(wide) == scalar;
}

Scalar scalar_of(uint64_t number) {
  Scalar out{};
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(number >> 8 * i);
  return out;
}

Scalar multiply(const Scalar& a, const Scalar& b) {
  Scalar out;
  crypto_core_ristretto255_scalar_mul(out.data(), a.data(), b.data());
  return out;
}

Scalar add(const Scalar& a, const Scalar& b) {
  Scalar out;
  crypto_core_ristretto255_scalar_add(out.data(), a.data(), b.data());
  return out;
}

// Nothing when the result is the identity or the point is not one of the group.
std::optional<Point> times(const Scalar& scalar, const Point& point) {
  Point out;
  if (crypto_scalarmult_ristretto255(out.data(), scalar.data(), point.data()) != 0) return {};
  return out;
}

std::optional<Point> times_base(const Scalar& scalar) {
  Point out;
  if (crypto_scalarmult_ristretto255_base(out.data(), scalar.data()) != 0) return {};
  return out;
}

Point hash_to_group(Bytes m) {
  const Fixed<64> wide = crypto::sha512(tagged("cloister beacon h2g v1").bytes(m).view());
  Point out;
  require(crypto_core_ristretto255_from_hash(out.data(), wide.data()) == 0);
  return out;
}

Scalar challenge_of(const Point& key, const Point& p, const Point& share, const Point& a,
                    const Point& b, Bytes m) {
  ByteWriter out = tagged("cloister beacon dleq v1");
  out.bytes(key).bytes(p).bytes(share).bytes(a).bytes(b).bytes(m);
  return reduce(crypto::sha512(out.view()));
}

// z U - c V: one half of the check. Nothing when a term is the identity or no point.
std::optional<Point> commitment(const Scalar& z, const std::optional<Point>& z_u, const Scalar& c,
                                const Point& v) {
  const auto c_v = times(c, v);
  Point out;
  if (all_zero(z) || !z_u || !c_v) return {};
  if (crypto_core_ristretto255_sub(out.data(), z_u->data(), c_v->data()) != 0) return {};
  return out;
}

// l_i at zero for the index set of `shares`.
Scalar lagrange(std::span<const BeaconShare> shares, size_t i) {
  Scalar numerator = scalar_of(1), denominator = scalar_of(1);
  for (size_t j = 0; j < shares.size(); ++j) {
    if (j == i) continue;
    Scalar difference;  // j - i
    crypto_core_ristretto255_scalar_sub(difference.data(), scalar_of(shares[j].index).data(),
                                        scalar_of(shares[i].index).data());
    numerator = multiply(numerator, scalar_of(shares[j].index));
    denominator = multiply(denominator, difference);
  }
  Scalar inverse;
  require(crypto_core_ristretto255_scalar_invert(inverse.data(), denominator.data()) == 0);
  return multiply(numerator, inverse);
}

Scalar random_scalar(Random& random) {
  Secret<64> wide;
  Scalar out{};
  while (all_zero(out)) {
    random.fill(wide.reveal_mutable());
    crypto_core_ristretto255_scalar_reduce(out.data(), wide.reveal().data());
  }
  return out;
}

}  // namespace

uint16_t beacon_threshold(size_t validators) {
  return validators == 0 ? uint16_t{1} : static_cast<uint16_t>((validators - 1) / 3 + 1);
}

bool valid_beacon_key(const Hash32& public_key) {
  return crypto_core_ristretto255_is_valid_point(public_key.data()) == 1 && !all_zero(public_key);
}

Dealt deal_beacon(size_t validators, Random& random) {
  Dealt out;
  out.keys.setup = BeaconSetup::dealer;
  out.keys.threshold = beacon_threshold(validators);
  std::vector<Scalar> polynomial(out.keys.threshold);
  for (Scalar& coefficient : polynomial) coefficient = random_scalar(random);
  for (size_t i = 1; i <= validators; ++i) {
    Scalar value{};  // Horner's rule
    for (size_t d = polynomial.size(); d-- > 0;) {
      value = add(multiply(value, scalar_of(i)), polynomial[d]);
    }
    const auto public_key = times_base(value);
    require(public_key.has_value());  // zero with probability 2^-252
    out.keys.public_keys.push_back(*public_key);
    BeaconSecret secret;
    secret.index = static_cast<uint16_t>(i);
    secret.scalar = Secret<32>(value);
    out.secrets.push_back(std::move(secret));
    wipe(value.data(), value.size());
  }
  wipe(polynomial.data(), polynomial.size() * sizeof(Scalar));
  return out;
}

BeaconShare make_beacon_share(std::string_view chain_id, uint64_t epoch, uint64_t height,
                              const BeaconSecret& secret) {
  const Buffer m = message(chain_id, epoch, height);
  const Point p = hash_to_group(m);
  Scalar x;
  std::memcpy(x.data(), secret.scalar.reveal().data(), 32);
  const auto key = times_base(x), share = times(x, p);
  // A nonce from the secret and the message: no randomness that could repeat or fail.
  Scalar k = reduce(crypto::sha512(tagged("cloister beacon nonce v1").bytes(x).bytes(m).view()));
  const auto a = times_base(k), b = times(k, p);
  require(key && share && a && b);
  BeaconShare out;
  out.index = secret.index;
  out.point = *share;
  out.challenge = challenge_of(*key, p, *share, *a, *b, m);
  out.response = add(k, multiply(out.challenge, x));
  wipe(x.data(), x.size());
  wipe(k.data(), k.size());
  return out;
}

bool verify_beacon_share(std::string_view chain_id, const BeaconKeys& keys, uint64_t height,
                         const BeaconShare& share) {
  if (share.index == 0 || share.index > keys.public_keys.size()) return false;
  if (!valid_beacon_key(share.point)) return false;
  if (!canonical(share.challenge) || !canonical(share.response)) return false;
  const Point& key = keys.public_keys[share.index - 1u];
  const Buffer m = message(chain_id, keys.epoch, height);
  const Point p = hash_to_group(m);
  const auto a = commitment(share.response, times_base(share.response), share.challenge, key);
  const auto b = commitment(share.response, times(share.response, p), share.challenge, share.point);
  return a && b && challenge_of(key, p, share.point, *a, *b, m) == share.challenge;
}

std::optional<Hash32> combine_beacon(std::string_view chain_id, const BeaconKeys& keys,
                                     uint64_t height, std::span<const BeaconShare> shares) {
  if (shares.size() < keys.threshold || keys.threshold == 0) return std::nullopt;
  shares = shares.first(keys.threshold);
  Point sum{};  // the identity
  for (size_t i = 0; i < shares.size(); ++i) {
    const auto term = times(lagrange(shares, i), shares[i].point);
    if (!term) return std::nullopt;
    if (crypto_core_ristretto255_add(sum.data(), sum.data(), term->data()) != 0) return {};
  }
  const Buffer m = message(chain_id, keys.epoch, height);
  return crypto::sha256(tagged("cloister beacon out v1").bytes(m).bytes(sum).view());
}

bool is_beacon_secret(const Genesis& genesis, const BeaconSecret& secret) {
  constexpr uint64_t kAnyHeight = 1;
  Scalar x;
  std::memcpy(x.data(), secret.scalar.reveal().data(), x.size());
  const bool is_a_scalar = times_base(x).has_value();
  wipe(x.data(), x.size());
  if (!is_a_scalar) return false;
  const BeaconShare share =
      make_beacon_share(genesis.chain_id, genesis.beacon.epoch, kAnyHeight, secret);
  return verify_beacon_share(genesis.chain_id, genesis.beacon, kAnyHeight, share);
}

bool verify_beacon(std::string_view chain_id, const BeaconKeys& keys, const Beacon& beacon) {
  uint16_t last = 0;
  for (const BeaconShare& share : beacon.shares) {
    if (share.index <= last) return false;
    if (!verify_beacon_share(chain_id, keys, beacon.height, share)) return false;
    last = share.index;
  }
  return beacon.value.has_value() &&
         combine_beacon(chain_id, keys, beacon.height, beacon.shares) == beacon.value;
}

std::optional<BeaconShares> read_beacon_shares(Bytes tx) {
  auto shares = tx.size() <= kMaxTxBytes ? BeaconShares::decode(tx) : std::nullopt;
  if (!shares || shares->tag != kBeaconSharesTag) return std::nullopt;
  return shares;
}

template struct Record<BeaconShare>;
template struct Record<HeightShare>;
template struct Record<BeaconShares>;
template struct Record<Beacon>;

}  // namespace cloister::ledger
