#include "evidence/azure/hcl_report.h"

#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::evidence::azure {
namespace {

constexpr std::string_view kMagic = "HCLA";
constexpr size_t kHeaderBytes = 32, kHardwareBytes = 1184, kRuntimeHeaderBytes = 20;
constexpr uint32_t kMaxVersion = 2, kRuntimeVersion = 1;
constexpr uint32_t kTypeSnp = 2, kTypeTdx = 4, kHashSha256 = 1;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "HCL report: " + std::string(what));
}
std::unexpected<Fault> unsupported(std::string_view what) {
  return refuse(Error::unsupported, "HCL report: " + std::string(what));
}

struct Header {
  uint32_t version;
  uint32_t total_bytes;
};

std::optional<Header> read_header(Bytes bytes) {
  ByteReader in(bytes);
  const auto magic = in.take(kMagic.size());
  if (!magic || !equal(*magic, as_bytes(kMagic))) return std::nullopt;
  const auto version = in.u32_le(), total = in.u32_le();
  if (!total) return std::nullopt;
  return Header{*version, *total};
}

struct Runtime {
  uint32_t type;
  Bytes json;
};

Result<Runtime> read_runtime(ByteReader& in) {
  const auto size = in.u32_le(), version = in.u32_le(), type = in.u32_le(), hash = in.u32_le(),
             json_bytes = in.u32_le();
  const auto json = json_bytes ? in.take(*json_bytes) : std::nullopt;
  if (!json || *size != kRuntimeHeaderBytes + json->size()) return malformed("run-time data");
  if (*version != kRuntimeVersion) return unsupported("a version of the run-time data");
  if (*type != kTypeSnp && *type != kTypeTdx) return unsupported("a type of hardware report");
  if (*hash != kHashSha256) return unsupported("a hash other than SHA-256");
  return Runtime{*type, *json};
}

std::optional<crypto::PublicKey> rsa_key(const JsonValue& jwk) {
  if (jwk["kty"].string() != "RSA") return std::nullopt;
  const auto n = jwk["n"].string(), e = jwk["e"].string();
  const auto modulus = n ? from_base64url(*n) : std::nullopt;
  const auto exponent = e ? from_base64url(*e) : std::nullopt;
  if (!modulus || !exponent) return std::nullopt;
  return crypto::PublicKey::from_rsa(*modulus, *exponent);
}

std::optional<crypto::PublicKey> attestation_key(Bytes runtime) {
  const auto json = parse_json(as_text(runtime), {.max_bytes = kMaxHclReportBytes});
  const auto* keys = json ? (*json)["keys"].array() : nullptr;
  if (keys == nullptr) return std::nullopt;
  const JsonValue* found = nullptr;
  for (const JsonValue& each : *keys) {
    if (each["kid"].string() != "HCLAkPub") continue;
    if (found != nullptr) return std::nullopt;
    found = &each;
  }
  return found == nullptr ? std::nullopt : rsa_key(*found);
}

}  // namespace

Result<HclReport> parse_hcl_report(Bytes bytes) {
  if (bytes.size() > kMaxHclReportBytes) return malformed("too large");
  const auto header = read_header(bytes);
  if (!header) return malformed("its header");
  if (header->version == 0 || header->version > kMaxVersion) return unsupported("a version");
  ByteReader in(bytes);
  if (!in.take(kHeaderBytes)) return malformed("its header");
  const auto hardware = in.take(kHardwareBytes);
  if (!hardware) return malformed("the hardware report");
  const auto runtime = read_runtime(in);
  if (!runtime) return std::unexpected(runtime.error());
  if (header->total_bytes != bytes.size() - in.remaining()) return malformed("its length");
  if (!all_zero(in.rest())) return malformed("bytes after its end");
  auto key = attestation_key(runtime->json);
  if (!key) return malformed("one RSA key HCLAkPub");
  return HclReport{runtime->type == kTypeSnp ? Format::snp_report : Format::tdx_quote,
                   to_buffer(*hardware), crypto::sha256(runtime->json), std::move(*key)};
}

}  // namespace cloister::evidence::azure
