#include "evidence/cca/claims_reader.h"

#include <algorithm>

#include "evidence/cca/token.h"

namespace cloister::evidence::cca {

const cose::CborValue* ClaimsReader::value(int64_t key) {
  taken_.insert(key);
  return token_.find(key);
}

Bytes ClaimsReader::bytes(int64_t key, size_t min, size_t max) {
  const cose::CborValue* found = value(key);
  const auto bytes = found == nullptr ? std::nullopt : found->bytes();
  if (bytes && bytes->size() >= min && bytes->size() <= max) return *bytes;
  failed_ = true;
  return {};
}

std::string ClaimsReader::text(int64_t key) {
  const cose::CborValue* found = value(key);
  const auto text = found == nullptr ? std::nullopt : found->text();
  if (text && !text->empty() && text->size() <= kMaxTextBytes) return std::string(*text);
  failed_ = true;
  return {};
}

std::string ClaimsReader::optional_text(int64_t key) {
  return value(key) == nullptr ? std::string() : text(key);
}

int64_t ClaimsReader::integer(int64_t key, int64_t max) {
  const cose::CborValue* found = value(key);
  const auto number = found == nullptr ? std::nullopt : found->integer();
  if (number && *number >= 0 && *number <= max) return *number;
  failed_ = true;
  return 0;
}

bool ClaimsReader::finish() const {
  if (failed_) return false;
  return std::ranges::all_of(*token_.map(), [&](const auto& member) {
    const auto key = member.first.integer();
    return key && taken_.contains(*key);
  });
}

}  // namespace cloister::evidence::cca
