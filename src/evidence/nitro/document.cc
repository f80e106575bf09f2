#include "evidence/nitro/document.h"

#include <algorithm>
#include <array>

namespace cloister::evidence::nitro {
namespace {

using cose::CborValue;

constexpr std::array<std::string_view, 9> kFields = {"module_id",  "digest",      "timestamp",
                                                     "pcrs",       "certificate", "cabundle",
                                                     "public_key", "user_data",   "nonce"};

std::unexpected<Fault> malformed(std::string_view field) {
  return refuse(Error::malformed, "attestation document: " + std::string(field));
}

bool known_fields_only(const CborValue& document) {
  return std::ranges::all_of(*document.map(), [](const auto& member) {
    const auto name = member.first.text();
    return name && std::ranges::find(kFields, *name) != kFields.end();
  });
}

const CborValue& field(const CborValue& document, std::string_view name) {
  static const CborValue kAbsent;  // an absent field is as good as null
  const CborValue* found = document.find(name);
  return found == nullptr ? kAbsent : *found;
}

// Absent or null, or 1 to `max` bytes: in the outer optional, whether that holds.
std::optional<std::optional<Buffer>> optional_bytes(const CborValue& document,
                                                    std::string_view name, size_t max) {
  const CborValue& value = field(document, name);
  if (value.is_null()) return std::optional<Buffer>();
  const auto bytes = value.bytes();
  if (!bytes || bytes->empty() || bytes->size() > max) return std::nullopt;
  return std::optional(to_buffer(*bytes));
}

std::optional<std::map<uint8_t, Buffer>> pcrs_of(const CborValue& value) {
  const auto* map = value.map();
  if (map == nullptr || map->empty() || map->size() > kMaxPcrs) return std::nullopt;
  std::map<uint8_t, Buffer> out;
  for (const auto& [key, content] : *map) {
    const auto index = key.integer();
    const auto bytes = content.bytes();
    if (!index || *index < 0 || *index >= static_cast<int64_t>(kMaxPcrs) || !bytes) {
      return std::nullopt;
    }
    if (bytes->size() != 48) return std::nullopt;  // digest SHA384
    out[static_cast<uint8_t>(*index)] = to_buffer(*bytes);
  }
  return out;
}

std::optional<crypto::Certificate> certificate_of(const CborValue& value) {
  const auto der = value.bytes();
  if (!der || der->size() > kMaxCertificateBytes) return std::nullopt;
  return crypto::Certificate::from_der(*der);
}

std::optional<std::vector<crypto::Certificate>> cabundle_of(const CborValue& value) {
  const auto* array = value.array();
  if (array == nullptr || array->empty() || array->size() > kMaxCaBundle) return std::nullopt;
  std::vector<crypto::Certificate> out;
  for (const CborValue& each : *array) {
    auto certificate = certificate_of(each);
    if (!certificate) return std::nullopt;
    out.push_back(std::move(*certificate));
  }
  return out;
}

Result<void> read_identity(const CborValue& value, Document& out) {
  const auto module = field(value, "module_id").text();
  if (!module || module->empty() || module->size() > kMaxModuleIdBytes) {
    return malformed("module_id");
  }
  const auto digest = field(value, "digest").text();
  if (!digest) return malformed("digest");
  if (*digest != "SHA384") return refuse(Error::unsupported, "a digest other than SHA384");
  const auto timestamp = field(value, "timestamp").integer();
  if (!timestamp || *timestamp <= 0) return malformed("timestamp");
  auto pcrs = pcrs_of(field(value, "pcrs"));
  if (!pcrs) return malformed("pcrs");
  out.module_id = *module;
  out.timestamp_ms = static_cast<uint64_t>(*timestamp);
  out.pcrs = std::move(*pcrs);
  return {};
}

Result<void> read_guest_fields(const CborValue& value, Document& out) {
  auto public_key = optional_bytes(value, "public_key", kMaxPublicKeyBytes);
  auto user_data = optional_bytes(value, "user_data", kMaxUserDataBytes);
  auto nonce = optional_bytes(value, "nonce", kMaxNonceBytes);
  if (!public_key) return malformed("public_key");
  if (!user_data) return malformed("user_data");
  if (!nonce) return malformed("nonce");
  out.public_key = std::move(*public_key);
  out.user_data = std::move(*user_data);
  out.nonce = std::move(*nonce);
  return {};
}

}  // namespace

Result<Document> parse_document(Bytes bytes) {
  auto message = cose::parse_sign1(bytes, cose::Tag::optional);
  if (!message) return std::unexpected(message.error());
  if (message->algorithm != cose::Algorithm::es384) {
    return refuse(Error::unsupported, "a signature other than ES384");
  }
  const auto value = cose::read_cbor(message->payload);
  if (!value) return std::unexpected(value.error());
  if (value->map() == nullptr || !known_fields_only(*value)) return malformed("its fields");
  auto leaf = certificate_of(field(*value, "certificate"));
  if (!leaf) return malformed("certificate");
  auto cabundle = cabundle_of(field(*value, "cabundle"));
  if (!cabundle) return malformed("cabundle");
  Document out{*message, {}, 0, {}, std::move(*leaf), std::move(*cabundle), {}, {}, {}};
  if (const auto read = read_identity(*value, out); !read) return std::unexpected(read.error());
  if (const auto read = read_guest_fields(*value, out); !read) return std::unexpected(read.error());
  return out;
}

}  // namespace cloister::evidence::nitro
