#include "evidence/nvidia/manifest_facts.h"

namespace cloister::evidence::nvidia {

Hash32 manifest_subject(std::string_view product, std::string_view edition,
                        std::string_view version) {
  ByteWriter out;
  for (std::string_view text : {product, edition, version}) {
    out.u32_be(static_cast<uint32_t>(text.size())).text(text);
  }
  return crypto::sha256(out.view());
}

Hash32 goldens_digest(std::span<const rim::Golden> goldens) {
  ByteWriter out;
  for (const rim::Golden& golden : goldens) {
    out.u32_be(golden.index).u8(golden.active ? 1 : 0).u32_be(golden.size_bytes);
    out.u8(static_cast<uint8_t>(golden.alternatives.size()));
    for (const Buffer& each : golden.alternatives) {
      out.u32_be(static_cast<uint32_t>(each.size())).bytes(each);
    }
  }
  return crypto::sha256(out.view());
}

Buffer encode(std::span<const ManifestFact> facts) {
  ByteWriter out;
  for (const ManifestFact& fact : facts) {
    out.bytes(fact.root_key).bytes(fact.subject).bytes(fact.goldens);
  }
  return out.take();
}

std::optional<std::vector<ManifestFact>> decode_manifest_facts(Bytes bytes) {
  ByteReader in(bytes);
  std::vector<ManifestFact> out;
  while (!in.done()) {
    const auto root_key = in.fixed<32>(), subject = in.fixed<32>(), goldens = in.fixed<32>();
    if (!root_key || !subject || !goldens || out.size() == kMaxManifestFacts) return std::nullopt;
    out.push_back({*root_key, *subject, *goldens});
  }
  return out;
}

}  // namespace cloister::evidence::nvidia
