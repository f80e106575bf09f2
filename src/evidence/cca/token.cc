#include "evidence/cca/token.h"

#include "crypto/hash.h"
#include "evidence/cca/claims_reader.h"

namespace cloister::evidence::cca {
namespace {

using cose::CborValue;

constexpr uint64_t kTokenTag = 399;
constexpr int64_t kPlatformToken = 44234, kRealmToken = 44241;

// Claims by their numbers (draft-ffm-rats-cca-token, 4).
constexpr int64_t kChallenge = 10, kProfile = 265, kInstanceId = 256;
constexpr int64_t kLifecycle = 2395, kImplementationId = 2396, kSoftwareComponents = 2399;
constexpr int64_t kVerificationService = 2400, kConfiguration = 2401, kHashAlgorithm = 2402;
constexpr int64_t kPersonalization = 44235, kRealmHashAlgorithm = 44236, kRealmKey = 44237;
constexpr int64_t kInitialMeasurement = 44238, kExtensibleMeasurements = 44239;
constexpr int64_t kKeyHashAlgorithm = 44240;

constexpr std::string_view kPlatformProfile = "tag:arm.com,2023:cca_platform#1.0.0";
constexpr std::string_view kOldPlatformProfile = "http://arm.com/CCA-SSD/1.0.0";
constexpr std::string_view kRealmProfile = "tag:arm.com,2023:realm#1.0.0";

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "CCA token: " + std::string(what));
}
std::unexpected<Fault> unsupported(std::string_view what) {
  return refuse(Error::unsupported, "CCA token: " + std::string(what));
}

std::optional<crypto::HashKind> hash_kind(std::string_view name) {
  if (name == "sha-256") return crypto::HashKind::sha256;
  if (name == "sha-384") return crypto::HashKind::sha384;
  if (name == "sha-512") return crypto::HashKind::sha512;
  return std::nullopt;
}

// SEC 1, 2.3.3, uncompressed: 04 ‖ X ‖ Y.
std::optional<crypto::PublicKey> key_of_point(Bytes point) {
  if (point.empty() || point[0] != 0x04) return std::nullopt;
  const Bytes xy = point.subspan(1);
  const auto curve = xy.size() == 96 ? crypto::Curve::p384 : crypto::Curve::p256;
  return crypto::PublicKey::from_ec_point(curve, xy);
}

// COSE_Key (RFC 9052, 7; RFC 9053, 7.1.1): kty EC2, curve, x, y; perhaps an algorithm.
std::optional<crypto::PublicKey> key_of_cose(Bytes encoded) {
  constexpr int64_t kKty = 1, kAlg = 3, kCrv = -1, kX = -2, kY = -3;
  constexpr int64_t kEc2 = 2, kP256 = 1, kP384 = 2;
  const auto value = cose::read_cbor(encoded);
  if (!value || value->map() == nullptr) return std::nullopt;
  ClaimsReader in(*value);
  if (in.integer(kKty, kEc2) != kEc2) return std::nullopt;
  in.value(kAlg);
  const int64_t curve = in.integer(kCrv, kP384);
  if (curve != kP256 && curve != kP384) return std::nullopt;
  const size_t size = curve == kP384 ? 48 : 32;
  Buffer xy = to_buffer(in.bytes(kX, size, size));
  const Bytes y = in.bytes(kY, size, size);
  xy.insert(xy.end(), y.begin(), y.end());
  if (!in.finish()) return std::nullopt;
  return crypto::PublicKey::from_ec_point(
      curve == kP384 ? crypto::Curve::p384 : crypto::Curve::p256, xy);
}

std::optional<SoftwareComponent> software_component(const CborValue& value) {
  constexpr int64_t kType = 1, kMeasurement = 2, kVersion = 4, kSigner = 5, kAlgorithm = 6;
  if (value.map() == nullptr) return std::nullopt;
  ClaimsReader in(value);
  SoftwareComponent out;
  out.type = in.optional_text(kType);
  out.measurement = to_buffer(in.bytes(kMeasurement, 32, 64));
  out.version = in.optional_text(kVersion);
  out.signer = to_buffer(in.bytes(kSigner, 32, 64));
  out.hash_algorithm = in.optional_text(kAlgorithm);
  return in.finish() ? std::optional(out) : std::nullopt;
}

std::optional<std::vector<SoftwareComponent>> software_components(const CborValue* value) {
  const auto* array = value == nullptr ? nullptr : value->array();
  if (array == nullptr || array->empty() || array->size() > kMaxSoftwareComponents) {
    return std::nullopt;
  }
  std::vector<SoftwareComponent> out;
  for (const CborValue& each : *array) {
    auto component = software_component(each);
    if (!component) return std::nullopt;
    out.push_back(std::move(*component));
  }
  return out;
}

Result<PlatformClaims> platform_claims(const cose::Sign1& message) {
  const auto value = cose::read_cbor(message.payload);
  if (!value) return std::unexpected(value.error());
  if (value->map() == nullptr) return malformed("platform claims");
  ClaimsReader in(*value);
  PlatformClaims out{};
  out.profile = in.text(kProfile);
  out.challenge = to_buffer(in.bytes(kChallenge, 32, 64));
  out.implementation_id = in.fixed<32>(kImplementationId);
  out.instance_id = in.fixed<33>(kInstanceId);
  out.configuration = to_buffer(in.bytes(kConfiguration, 0, kMaxConfigurationBytes));
  out.lifecycle = static_cast<uint16_t>(in.integer(kLifecycle, UINT16_MAX));
  out.hash_algorithm = in.text(kHashAlgorithm);
  in.optional_text(kVerificationService);
  auto software = software_components(in.value(kSoftwareComponents));
  if (!in.finish() || !software) return malformed("platform claims");
  out.software = std::move(*software);
  if (out.profile != kPlatformProfile && out.profile != kOldPlatformProfile) {
    return unsupported("another platform profile");
  }
  return out;
}

std::optional<std::vector<Buffer>> measurements(const CborValue* value, size_t size_bytes) {
  const auto* array = value == nullptr ? nullptr : value->array();
  if (array == nullptr || array->size() != kRealmMeasurements) return std::nullopt;
  std::vector<Buffer> out;
  for (const CborValue& each : *array) {
    const auto bytes = each.bytes();
    if (!bytes || bytes->size() != size_bytes) return std::nullopt;
    out.push_back(to_buffer(*bytes));
  }
  return out;
}

Result<RealmClaims> realm_claims(const cose::Sign1& message) {
  const auto value = cose::read_cbor(message.payload);
  if (!value) return std::unexpected(value.error());
  if (value->map() == nullptr) return malformed("realm claims");
  ClaimsReader in(*value);
  const std::string profile = in.optional_text(kProfile);
  const auto challenge = in.fixed<64>(kChallenge);
  const auto personalization = in.fixed<64>(kPersonalization);
  const Bytes key_bytes = in.bytes(kRealmKey, 64, 256);
  const auto hash_algorithm = hash_kind(in.text(kRealmHashAlgorithm));
  const auto key_hash_algorithm = hash_kind(in.text(kKeyHashAlgorithm));
  const Bytes initial = in.bytes(kInitialMeasurement, 32, 64);
  const CborValue* extensible = in.value(kExtensibleMeasurements);
  if (!in.finish()) return malformed("realm claims");
  if (!profile.empty() && profile != kRealmProfile) return unsupported("another realm profile");
  if (!hash_algorithm || !key_hash_algorithm) return unsupported("another hash algorithm");
  const size_t size = crypto::size_bytes(*hash_algorithm);
  auto registers = measurements(extensible, size);
  if (initial.size() != size || !registers) return malformed("the realm's measurements");
  // The profile that names itself carries a COSE_Key; the one before it the bare point.
  auto key = profile.empty() ? key_of_point(key_bytes) : key_of_cose(key_bytes);
  if (!key) return unsupported("a realm key that is not of P-256 or P-384");
  return RealmClaims{challenge,          personalization,      std::move(*key),
                     key_bytes,          *key_hash_algorithm,  *hash_algorithm,
                     to_buffer(initial), std::move(*registers)};
}

// The two tokens inside, and nothing else.
Result<std::pair<Bytes, Bytes>> split(const CborValue& value) {
  const auto* tagged = value.tagged();
  if (tagged == nullptr || tagged->tag != kTokenTag) return malformed("not a CCA token");
  const CborValue& map = *tagged->value;
  if (map.map() == nullptr || map.map()->size() != 2) return malformed("not two tokens");
  const CborValue* platform = map.find(kPlatformToken);
  const CborValue* realm = map.find(kRealmToken);
  const auto platform_bytes = platform == nullptr ? std::nullopt : platform->bytes();
  const auto realm_bytes = realm == nullptr ? std::nullopt : realm->bytes();
  if (!platform_bytes || !realm_bytes) return malformed("a platform and a realm token");
  return std::pair(*platform_bytes, *realm_bytes);
}

}  // namespace

Result<Token> parse_token(Bytes bytes) {
  const auto value = cose::read_cbor(bytes);
  if (!value) return std::unexpected(value.error());
  const auto parts = split(*value);
  if (!parts) return std::unexpected(parts.error());
  const auto platform_message = cose::parse_sign1(parts->first, cose::Tag::required);
  if (!platform_message) return std::unexpected(platform_message.error());
  const auto realm_message = cose::parse_sign1(parts->second, cose::Tag::required);
  if (!realm_message) return std::unexpected(realm_message.error());
  auto platform = platform_claims(*platform_message);
  if (!platform) return std::unexpected(platform.error());
  auto realm = realm_claims(*realm_message);
  if (!realm) return std::unexpected(realm.error());
  return Token{*platform_message, *realm_message, std::move(*platform), std::move(*realm)};
}

}  // namespace cloister::evidence::cca
