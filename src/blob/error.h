// Why a blob could not be kept or brought.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace cloister::blob {

enum class BlobError : uint8_t {
  not_found = 1,
  wrong_content = 2,   // what came is not what the name says: the store lies, or is broken
  too_large = 3,       // more than the caller or the store allows
  quota_exceeded = 4,  // the store is full of blobs that have not expired
  unreachable = 5,     // the store cannot be reached, or broke off; worth another try
  refused = 6,         // the store answered with a refusal
  bad_uri = 7,         // not an address of a blob
  not_writable = 8,    // the folder cannot be used
};
template <typename T>
using Result = std::expected<T, BlobError>;

std::string_view name(BlobError error);
std::string_view describe(BlobError error);

}  // namespace cloister::blob
