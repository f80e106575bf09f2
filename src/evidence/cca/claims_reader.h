// Claims of one token, taken out by number; what nobody took is unknown. Private to this folder.
#pragma once

#include <set>

#include "evidence/cose/cbor_tree.h"

namespace cloister::evidence::cca {

// A claim of another kind or out of its bounds makes the reader fail; so does one that is absent.
class ClaimsReader {
 public:
  // `token` is a map, and outlives this.
  explicit ClaimsReader(const cose::CborValue& token) : token_(token) {}

  Bytes bytes(int64_t key, size_t min, size_t max);
  std::string text(int64_t key);
  std::string optional_text(int64_t key);
  int64_t integer(int64_t key, int64_t max);  // 0 to max
  const cose::CborValue* value(int64_t key);  // null: absent
  template <size_t N>
  Fixed<N> fixed(int64_t key) {
    const auto taken = to_fixed<N>(bytes(key, N, N));
    return taken.value_or(Fixed<N>{});
  }

  // All claims were there, in bounds, and there were no others.
  bool finish() const;

 private:
  const cose::CborValue& token_;
  std::set<int64_t> taken_;
  bool failed_ = false;
};

}  // namespace cloister::evidence::cca
