#include "evidence/bundle/cmw.h"

#include <algorithm>
#include <map>

#include "base/cbor.h"
#include "base/text.h"
#include "evidence/common/media_types.h"
#include "evidence/cose/cbor_tree.h"

namespace cloister::evidence::bundle {
namespace {

constexpr uint64_t kReferenceValues = 1, kEndorsements = 2, kEvidence = 4;
constexpr std::string_view kReserved = "__cmwc_";
constexpr std::string_view kTypeLabel = "__cmwc_t";  // the collection's own type; not read
constexpr std::string_view kCollateralType = "application/octet-stream";

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "bundle: " + std::string(what));
}
std::unexpected<Fault> unsupported(std::string_view what) {
  return refuse(Error::unsupported, "bundle: " + std::string(what));
}

// One record, of either encoding.
struct Record {
  std::string label, type;
  Buffer value;
  std::optional<uint64_t> indicator;
};

// Both encodings are walked by the same rules; a Source says how its nodes look. `Node` is a
// pointer into the parsed tree.
struct JsonSource {
  using Node = const JsonValue*;
  using Members = std::vector<std::pair<std::string, Node>>;

  static std::optional<std::vector<Node>> array(Node node) {
    if (node->array() == nullptr) return std::nullopt;
    std::vector<Node> out;
    for (const JsonValue& each : *node->array()) out.push_back(&each);
    return out;
  }
  static std::optional<Members> members(Node node) {
    if (node->members() == nullptr) return std::nullopt;
    Members out;
    for (const auto& [key, value] : *node->members()) out.emplace_back(key, &value);
    return out;
  }
  static std::optional<std::string> text(Node node) {
    const auto text = node->string();
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }
  static std::optional<uint64_t> number(Node node) { return node->u64(); }
  static std::optional<Buffer> bytes(Node node) {
    const auto text = node->string();
    return text ? from_base64url(*text) : std::nullopt;
  }
  static bool is_tag(Node) { return false; }
};

struct CborSource {
  using Node = const cose::CborValue*;
  using Members = std::vector<std::pair<std::string, Node>>;

  static std::optional<std::vector<Node>> array(Node node) {
    if (node->array() == nullptr) return std::nullopt;
    std::vector<Node> out;
    for (const cose::CborValue& each : *node->array()) out.push_back(&each);
    return out;
  }
  // Labels are texts or integers.
  static std::optional<Members> members(Node node) {
    if (node->map() == nullptr) return std::nullopt;
    Members out;
    for (const auto& [key, value] : *node->map()) {
      const auto text = key.text();
      const auto number = key.integer();
      if (!text && !number) return std::nullopt;
      out.emplace_back(text ? std::string(*text) : std::to_string(*number), &value);
    }
    return out;
  }
  static std::optional<std::string> text(Node node) {
    const auto text = node->text();
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }
  static std::optional<uint64_t> number(Node node) {
    const auto value = node->integer();
    return value && *value >= 0 ? std::optional(static_cast<uint64_t>(*value)) : std::nullopt;
  }
  static std::optional<Buffer> bytes(Node node) {
    const auto value = node->bytes();
    return value ? std::optional(to_buffer(*value)) : std::nullopt;
  }
  static bool is_tag(Node node) { return node->tagged() != nullptr; }
};

template <typename Source>
class Walk {
 public:
  using Node = typename Source::Node;

  Result<std::monostate> collection_or_record(Node node, const std::string& label, size_t depth) {
    if (Source::is_tag(node)) return unsupported("a record as a CBOR tag");
    if (const auto parts = Source::array(node)) return record(*parts, label.empty() ? "0" : label);
    const auto members = Source::members(node);
    if (!members || members->empty()) return malformed("neither a record nor a collection");
    if (depth == kMaxDepth) return malformed("collections too deep within each other");
    for (const auto& [name, value] : *members) {
      if (name == kTypeLabel) continue;
      if (name.empty() || name.size() > kMaxLabelBytes || name.starts_with(kReserved) ||
          name.find('/') != std::string::npos) {
        return malformed("a label");
      }
      std::string inner = label;
      if (!inner.empty()) inner += '/';
      inner += name;
      if (auto walked = collection_or_record(value, inner, depth + 1); !walked) return walked;
    }
    return std::monostate();
  }

  std::vector<Record> records;

 private:
  Result<std::monostate> record(const std::vector<Node>& parts, std::string label) {
    if (parts.size() != 2 && parts.size() != 3) return malformed("a record");
    if (Source::number(parts[0])) return unsupported("a type by its CoAP number");
    auto type = Source::text(parts[0]);
    auto value = Source::bytes(parts[1]);
    const auto indicator = parts.size() == 3 ? Source::number(parts[2]) : std::nullopt;
    if (!type || !value || value->empty() || (parts.size() == 3 && !indicator)) {
      return malformed("a record");
    }
    if (records.size() == kMaxRecords) return malformed("too many records");
    records.push_back({std::move(label), std::move(*type), std::move(*value), indicator});
    return std::monostate();
  }
};

Result<std::vector<Record>> records_of(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    const auto json = parse_json(text, {.max_bytes = kMaxBundleBytes});
    if (!json) return malformed(describe(json.error().error));
    Walk<JsonSource> walk;
    if (auto walked = walk.collection_or_record(&*json, "", 0); !walked) {
      return std::unexpected(walked.error());
    }
    return std::move(walk.records);
  }
  const auto cbor = cose::read_cbor(bytes);
  if (!cbor) return std::unexpected(cbor.error());
  Walk<CborSource> walk;
  if (auto walked = walk.collection_or_record(&*cbor, "", 0); !walked) {
    return std::unexpected(walked.error());
  }
  return std::move(walk.records);
}

Result<std::monostate> sort_in(Record&& record, Bundle& bundle) {
  if (const auto format = format_of_media_type(record.type)) {
    if (record.indicator && *record.indicator != kEvidence) return unsupported("an indicator");
    for (const Item& each : bundle.items) {
      if (each.label == record.label) return malformed("a label twice");
    }
    if (bundle.items.size() == kMaxItems) return malformed("too many pieces of evidence");
    bundle.items.push_back({std::move(record.label), {*format, std::move(record.value)}});
    return std::monostate();
  }
  const bool of_vendor = record.indicator && *record.indicator != 0 &&
                         (*record.indicator & ~(kReferenceValues | kEndorsements)) == 0;
  if (!of_vendor) return unsupported("type " + record.type.substr(0, kMaxLabelBytes));
  bundle.collateral.push_back(std::move(record.value));
  return std::monostate();
}

// --- writing
// --------------------------------------------------------------------------------------

// A collection as it is written: labels to records or inner collections, in order of the labels.
struct Tree {
  std::optional<Record> record;
  std::map<std::string, Tree> inner;
};

Tree tree_of(const Bundle& bundle) {
  Tree root;
  const auto place = [&](std::string_view label) -> Tree& {
    Tree* at = &root;
    for (size_t from = 0; from <= label.size();) {
      const size_t slash = std::min(label.find('/', from), label.size());
      at = &at->inner[std::string(label.substr(from, slash - from))];
      from = slash + 1;
    }
    return *at;
  };
  for (const Item& each : bundle.items) {
    place(each.label).record =
        Record{each.label, media_type(each.evidence.format), each.evidence.bytes, kEvidence};
  }
  for (size_t i = 0; i < bundle.collateral.size(); ++i) {
    place("collateral/" + std::to_string(i)).record =
        Record{"", std::string(kCollateralType), bundle.collateral[i], kEndorsements};
  }
  return root;
}

JsonValue json_of(const Tree& tree) {
  if (tree.record) {
    JsonValue out = JsonValue::Array{};
    out.push(tree.record->type)
        .push(to_base64url(tree.record->value))
        .push(*tree.record->indicator);
    return out;
  }
  JsonValue out = JsonValue::Object{};
  for (const auto& [label, inner] : tree.inner) out.set(label, json_of(inner));
  return out;
}

// Maps with text keys sort by length, then by bytes (RFC 8949, 4.2.1).
void write(const Tree& tree, CborWriter& out) {
  if (tree.record) {
    out.array(3).text(tree.record->type).bytes(tree.record->value).u64(*tree.record->indicator);
    return;
  }
  std::vector<const std::pair<const std::string, Tree>*> sorted;
  for (const auto& each : tree.inner) sorted.push_back(&each);
  std::ranges::sort(sorted, [](const auto* a, const auto* b) {
    return a->first.size() != b->first.size() ? a->first.size() < b->first.size()
                                              : a->first < b->first;
  });
  out.map(sorted.size());
  for (const auto* each : sorted) {
    out.text(each->first);
    write(each->second, out);
  }
}

}  // namespace

Result<Bundle> read_bundle(Bytes bytes) {
  if (bytes.size() > kMaxBundleBytes) return malformed("too large");
  auto records = records_of(bytes);
  if (!records) return std::unexpected(records.error());
  Bundle out;
  for (Record& each : *records) {
    if (auto sorted = sort_in(std::move(each), out); !sorted) {
      return std::unexpected(sorted.error());
    }
  }
  if (out.items.empty()) return malformed("no evidence");
  return out;
}

std::string to_json(const Bundle& bundle) {
  return json_of(tree_of(bundle)).dump();
}

Buffer to_cbor(const Bundle& bundle) {
  CborWriter out;
  write(tree_of(bundle), out);
  return out.take();
}

}  // namespace cloister::evidence::bundle
