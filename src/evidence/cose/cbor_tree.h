// CBOR (RFC 8949) of strangers as a tree. For evidence formats whose encoders we do not control;
// the ledger's own encoding is base/cbor.h, which admits one form only.
//
// Admitted: integers within 64 bits signed, definite byte and text strings, arrays and maps of
// definite or indefinite length, tags, booleans, null. Refused: heads longer than needed, strings
// in chunks, a key given twice, floating point, other simple values, invalid UTF-8, depth over
// kMaxCborDepth, more than kMaxCborItems, anything after the value.
#pragma once

#include <variant>

#include "evidence/common/fault.h"

namespace cloister::evidence::cose {

constexpr size_t kMaxCborDepth = 8;
constexpr size_t kMaxCborItems = 1024;

class CborValue {
 public:
  using Array = std::vector<CborValue>;
  using Map = std::vector<std::pair<CborValue, CborValue>>;
  struct Tagged {
    uint64_t tag;
    std::shared_ptr<const CborValue> value;
  };
  struct Null {
    bool operator==(const Null&) const = default;
  };
  using Variant = std::variant<Null, bool, int64_t, Bytes, std::string_view, Array, Map, Tagged>;

  CborValue() = default;
  explicit CborValue(Variant value) : value_(std::move(value)) {}

  // Each returns nothing, or null, when the value is of another kind. Strings are views of the
  // input.
  bool is_null() const { return std::holds_alternative<Null>(value_); }
  std::optional<int64_t> integer() const;
  std::optional<Bytes> bytes() const;
  std::optional<std::string_view> text() const;
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Map* map() const { return std::get_if<Map>(&value_); }
  const Tagged* tagged() const { return std::get_if<Tagged>(&value_); }

  // The member of a map under a key; null when absent.
  const CborValue* find(int64_t key) const;
  const CborValue* find(std::string_view key) const;

  bool same_key(const CborValue& other) const;  // integers and texts; others are never the same

 private:
  Variant value_;
};

// `malformed` for everything refused above.
Result<CborValue> read_cbor(Bytes bytes);

}  // namespace cloister::evidence::cose
