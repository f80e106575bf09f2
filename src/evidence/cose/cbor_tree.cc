#include "evidence/cose/cbor_tree.h"

#include <algorithm>

#include "base/cbor.h"

namespace cloister::evidence::cose {
namespace {

enum Major : uint8_t {
  kUnsigned,
  kNegative,
  kByteString,
  kTextString,
  kArray,
  kMap,
  kTag,
  kSimple
};
constexpr uint8_t kIndefinite = 31;
constexpr uint8_t kBreak = 0xFF;
constexpr uint8_t kFalse = 20, kTrue = 21, kNull = 22;

struct Head {
  uint8_t major;
  uint8_t info;
  uint64_t argument;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : in_(bytes) {}

  std::optional<CborValue> value(size_t depth);
  bool done() const { return in_.done(); }

 private:
  std::optional<Head> head();
  std::optional<CborValue> integer(const Head& head);
  std::optional<CborValue> string(const Head& head);
  std::optional<CborValue> array(const Head& head, size_t depth);
  std::optional<CborValue> map(const Head& head, size_t depth);
  std::optional<CborValue> tagged(const Head& head, size_t depth);
  std::optional<CborValue> simple(const Head& head);

  // Whether a container goes on: by count, or until a break, which is taken.
  bool more(const Head& head, size_t read);

  ByteReader in_;
  size_t items_ = 0;
};

std::optional<Head> Reader::head() {
  const auto first = in_.u8();
  if (!first) return std::nullopt;
  Head out{static_cast<uint8_t>(*first >> 5), static_cast<uint8_t>(*first & 31), 0};
  if (out.info < 24) {
    out.argument = out.info;
    return out;
  }
  if (out.info == kIndefinite) return out;
  std::optional<uint64_t> argument;
  uint64_t smallest = 24;  // the least argument that needs this width
  if (out.info == 24) argument = in_.u8();
  if (out.info == 25) argument = in_.u16_be(), smallest = uint64_t{UINT8_MAX} + 1;
  if (out.info == 26) argument = in_.u32_be(), smallest = uint64_t{UINT16_MAX} + 1;
  if (out.info == 27) argument = in_.u64_be(), smallest = uint64_t{UINT32_MAX} + 1;
  if (!argument || *argument < smallest) return std::nullopt;
  out.argument = *argument;
  return out;
}

bool Reader::more(const Head& head, size_t read) {
  if (head.info != kIndefinite) return read < head.argument;
  if (in_.rest().empty() || in_.rest()[0] != kBreak) return true;  // an end of input fails later
  in_.take(1);
  return false;
}

std::optional<CborValue> Reader::integer(const Head& head) {
  if (head.info == kIndefinite || head.argument > INT64_MAX) return std::nullopt;
  const auto magnitude = static_cast<int64_t>(head.argument);
  return CborValue(head.major == kUnsigned ? magnitude : -1 - magnitude);
}

std::optional<CborValue> Reader::string(const Head& head) {
  if (head.info == kIndefinite) return std::nullopt;
  const auto taken = in_.take(head.argument);
  if (!taken) return std::nullopt;
  if (head.major == kByteString) return CborValue(*taken);
  if (!valid_utf8(as_text(*taken))) return std::nullopt;
  return CborValue(as_text(*taken));
}

std::optional<CborValue> Reader::array(const Head& head, size_t depth) {
  CborValue::Array out;
  while (more(head, out.size())) {
    auto item = value(depth + 1);
    if (!item) return std::nullopt;
    out.push_back(std::move(*item));
  }
  return CborValue(std::move(out));
}

std::optional<CborValue> Reader::map(const Head& head, size_t depth) {
  CborValue::Map out;
  while (more(head, out.size())) {
    auto key = value(depth + 1);
    auto item = key ? value(depth + 1) : std::nullopt;
    if (!item || (!key->integer() && !key->text())) return std::nullopt;
    const bool twice =
        std::ranges::any_of(out, [&](const auto& member) { return member.first.same_key(*key); });
    if (twice) return std::nullopt;
    out.emplace_back(std::move(*key), std::move(*item));
  }
  return CborValue(std::move(out));
}

std::optional<CborValue> Reader::tagged(const Head& head, size_t depth) {
  if (head.info == kIndefinite) return std::nullopt;
  auto inner = value(depth + 1);
  if (!inner) return std::nullopt;
  return CborValue(
      CborValue::Tagged{head.argument, std::make_shared<const CborValue>(std::move(*inner))});
}

std::optional<CborValue> Reader::simple(const Head& head) {
  switch (head.info) {
    case kFalse:
    case kTrue:
      return CborValue(head.info == kTrue);
    case kNull:
      return CborValue();
    default:
      return std::nullopt;
  }
}

std::optional<CborValue> Reader::value(size_t depth) {
  if (depth > kMaxCborDepth || ++items_ > kMaxCborItems) return std::nullopt;
  const auto first = head();
  if (!first) return std::nullopt;
  switch (first->major) {
    case kUnsigned:
    case kNegative:
      return integer(*first);
    case kByteString:
    case kTextString:
      return string(*first);
    case kArray:
      return array(*first, depth);
    case kMap:
      return map(*first, depth);
    case kTag:
      return tagged(*first, depth);
    default:
      return simple(*first);
  }
}

template <typename Key>
const CborValue* find_in(const CborValue::Map* map, const Key& matches) {
  if (map == nullptr) return nullptr;
  const auto found =
      std::ranges::find_if(*map, [&](const auto& member) { return matches(member.first); });
  return found == map->end() ? nullptr : &found->second;
}

}  // namespace

std::optional<int64_t> CborValue::integer() const {
  const auto* found = std::get_if<int64_t>(&value_);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Bytes> CborValue::bytes() const {
  const auto* found = std::get_if<Bytes>(&value_);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<std::string_view> CborValue::text() const {
  const auto* found = std::get_if<std::string_view>(&value_);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

const CborValue* CborValue::find(int64_t key) const {
  return find_in(map(), [&](const CborValue& k) { return k.integer() == key; });
}

const CborValue* CborValue::find(std::string_view key) const {
  return find_in(map(), [&](const CborValue& k) { return k.text() == key; });
}

bool CborValue::same_key(const CborValue& other) const {
  if (integer()) return integer() == other.integer();
  return text() && text() == other.text();
}

Result<CborValue> read_cbor(Bytes bytes) {
  Reader reader(bytes);
  auto out = reader.value(0);
  if (!out) return refuse(Error::malformed, "not CBOR of the accepted form");
  if (!reader.done()) return refuse(Error::malformed, "bytes after the CBOR value");
  return std::move(*out);
}

}  // namespace cloister::evidence::cose
