#include "evidence/rim/swid.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"

namespace cloister::evidence::rim {
namespace {

constexpr std::string_view kSwid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
constexpr std::string_view kHashSpace = "http://www.w3.org/2001/04/xmlenc#sha384";
constexpr size_t kMaxNameBytes = 128;
constexpr uint32_t kMaxMeasurementBytes = 64;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "reference manifest: " + std::string(what));
}

// Decimal, canonical, below `limit`.
std::optional<uint32_t> number(std::string_view text, uint32_t limit) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc() || at != end || value >= limit) return std::nullopt;
  if (std::to_string(value) != text) return std::nullopt;
  return value;
}

std::optional<std::string> short_attribute(const XmlElement& element, std::string_view name) {
  auto value = element.attribute(name);
  if (!value || value->empty() || value->size() > kMaxNameBytes) return std::nullopt;
  return value;
}

// The one child of this name; nothing when there is none, or two.
std::optional<XmlElement> only_child(const XmlElement& root, std::string_view name) {
  std::optional<XmlElement> found;
  for (const XmlElement& child : root.children()) {
    if (!child.is(kSwid, name)) continue;
    if (found) return std::nullopt;
    found = child;
  }
  return found;
}

// The attributes of one measurement, each known and given once.
struct MeasurementForm {
  std::map<std::string, std::string> plain;
  std::map<uint32_t, std::string> hashes;

  static std::optional<MeasurementForm> of(const XmlElement& element) {
    MeasurementForm out;
    for (const XmlAttribute& each : element.attributes()) {
      if (each.space.empty()) {
        out.plain[each.name] = each.value;
      } else if (each.space != kHashSpace || !each.name.starts_with("Hash") ||
                 !out.add_hash(each)) {
        return std::nullopt;
      }
    }
    return out;
  }

  bool add_hash(const XmlAttribute& attribute) {
    const auto place = number(std::string_view(attribute.name).substr(4), kMaxAlternatives);
    return place && hashes.emplace(*place, attribute.value).second;
  }
};

std::optional<Golden> read_golden(const XmlElement& element) {
  if (!element.is(kSwid, "Resource") || !element.children().empty()) return std::nullopt;
  auto form = MeasurementForm::of(element);
  constexpr size_t kPlainAttributes = 6;  // type, index, active, alternatives, name, size
  if (!form || form->plain.size() != kPlainAttributes || !form->plain.contains("name")) {
    return std::nullopt;
  }
  if (form->plain["type"] != "Measurement") return std::nullopt;
  const std::string& active = form->plain["active"];
  if (active != "True" && active != "False") return std::nullopt;
  const auto index = number(form->plain["index"], kMaxGoldens);
  const auto size = number(form->plain["size"], kMaxMeasurementBytes + 1);
  const auto alternatives = number(form->plain["alternatives"], kMaxAlternatives + 1);
  if (!index || !size || *size == 0 || !alternatives || *alternatives == 0) return std::nullopt;
  if (form->hashes.size() != *alternatives || form->hashes.rbegin()->first != *alternatives - 1) {
    return std::nullopt;
  }
  Golden out{*index, active == "True", *size, {}};
  for (const auto& [place, text] : form->hashes) {
    auto value = from_hex(text);
    if (!value || value->size() != *size) return std::nullopt;
    out.alternatives.push_back(std::move(*value));
  }
  return out;
}

std::optional<std::vector<Golden>> read_goldens(const XmlElement& payload) {
  std::vector<Golden> out;
  for (const XmlElement& each : payload.children()) {
    auto golden = read_golden(each);
    if (!golden) return std::nullopt;
    out.push_back(std::move(*golden));
  }
  std::ranges::sort(out, {}, &Golden::index);
  const auto twice = std::ranges::adjacent_find(out, {}, &Golden::index);
  if (out.empty() || twice != out.end()) return std::nullopt;
  return out;
}

}  // namespace

Result<Swid> parse_swid(std::string_view text) {
  const auto document = XmlDocument::parse(text);
  if (!document) return std::unexpected(document.error());
  const XmlElement root = document->root();
  if (!root.is(kSwid, "SoftwareIdentity")) return malformed("not a SoftwareIdentity");
  const auto meta = only_child(root, "Meta"), payload = only_child(root, "Payload");
  if (!meta || !payload) return malformed("one Meta and one Payload");
  auto id = short_attribute(root, "tagId"), version = short_attribute(*meta, "colloquialVersion"),
       product = short_attribute(*meta, "product"), edition = short_attribute(*meta, "edition");
  if (!id || !version || !product || !edition) return malformed("its id, version and product");
  auto goldens = read_goldens(*payload);
  if (!goldens) return malformed("a measurement");
  auto signature = find_signature(*document);
  if (!signature) return std::unexpected(signature.error());
  return Swid{*document,           std::move(*signature), std::move(*id),     std::move(*version),
              std::move(*product), std::move(*edition),   std::move(*goldens)};
}

}  // namespace cloister::evidence::rim
