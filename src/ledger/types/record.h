// Base of everything that the ledger stores or a transaction carries: deterministic CBOR (RFC 8949,
// 4.2.1), a map with keys 1, 2, 3, … in the order of `fields`, and the same as JSON for people.
//
// A record lists its members once:
//   template <typename R, typename V> static void fields(R& r, V& v) {
//     v(1, "height", r.height);  v(2, "name", r.name, kMaxNameBytes);  v(3, "ids", r.ids, kMaxIds);
//   }
// Strings and buffers name their largest size, vectors their largest count and then the bound of an
// item. An optional member is an array of none or one. The decoder refuses everything that the
// encoder would not write.
#pragma once

#include "base/json.h"

namespace cloister::ledger {

template <typename T>
struct Record {
  Buffer encode() const;
  static std::optional<T> decode(Bytes bytes);
  JsonValue to_json() const;                              // bytes as hex, lists of numbers by name
  static std::optional<T> from_json(const JsonValue& v);  // exactly the members of to_json
  bool operator==(const Record&) const = default;
};

}  // namespace cloister::ledger
