#include "evidence/common/standing.h"

#include "evidence/common/evidence.h"

namespace cloister::evidence {

namespace {
constexpr std::string_view kEntryDomain = "cloister revocation v1";
}  // namespace

Hash32 entry_id(const Hash32& list_issuer, Bytes serial) {
  crypto::Sha256 hash;
  hash.update(kEntryDomain).update(Fixed<1>{}).update(list_issuer).update(serial);
  return hash.finish();
}

Buffer Standing::encode() const {
  ByteWriter out;
  out.u8(static_cast<uint8_t>(format)).bytes(root_key);
  out.u8(static_cast<uint8_t>(certificates.size()));
  for (const Revocable& each : certificates) {
    out.u8(each.of_platform ? 1 : 0).bytes(each.list_issuer).bytes(each.entry);
  }
  return out.bytes(facts).take();
}

std::optional<Standing> Standing::decode(Bytes bytes) {
  if (bytes.size() > kMaxStandingBytes) return std::nullopt;
  ByteReader in(bytes);
  const auto format = in.u8();
  const auto root_key = in.fixed<32>();
  const auto count = in.u8();
  if (!format || !root_key || !count || *count > kMaxRevocables) return std::nullopt;
  Standing out{static_cast<Format>(*format), *root_key, {}, {}};
  for (uint8_t i = 0; i < *count; ++i) {
    const auto of_platform = in.u8();
    const auto issuer = in.fixed<32>(), entry = in.fixed<32>();
    if (!of_platform || *of_platform > 1 || !issuer || !entry) return std::nullopt;
    out.certificates.push_back({*of_platform == 1, *issuer, *entry});
  }
  out.facts = to_buffer(in.rest());
  return out;
}

}  // namespace cloister::evidence
