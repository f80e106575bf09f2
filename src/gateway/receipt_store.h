// The gateway's own copies of what its answers rest on: one JSON bundle a receipt, as a file that
// `cloister verify-receipt` reads. Bundles hold hashes, evidence and proofs, never a user's text.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "base/seams.h"

namespace cloister::gateway {

enum class StoreError { bad_id, not_found, unreadable, unwritable };

class ReceiptStore {
 public:
  // The folder is made when missing.
  static std::expected<ReceiptStore, StoreError> open(std::filesystem::path folder);

  static std::string new_id(Random& random);  // "rcpt-" and 32 hex digits
  std::expected<void, StoreError> put(std::string_view id, std::string_view bundle_json);
  std::expected<std::string, StoreError> get(std::string_view id) const;
  std::expected<void, StoreError> forget(std::string_view id);

 private:
  explicit ReceiptStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::expected<std::filesystem::path, StoreError> path_of(std::string_view id) const;
  std::filesystem::path folder_;
};

}  // namespace cloister::gateway
