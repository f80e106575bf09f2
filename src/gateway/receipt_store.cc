#include "gateway/receipt_store.h"

#include "base/files.h"
#include "base/text.h"

namespace cloister::gateway {
namespace {

constexpr std::string_view kPrefix = "rcpt-";
constexpr size_t kIdBytes = 16;
constexpr size_t kMaxBundleBytes = 4 << 20;

}  // namespace

std::expected<ReceiptStore, StoreError> ReceiptStore::open(std::filesystem::path folder) {
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  if (ec) return std::unexpected(StoreError::unwritable);
  return ReceiptStore(std::move(folder));
}

std::string ReceiptStore::new_id(Random& random) {
  return std::string(kPrefix) + to_hex(random.fixed<kIdBytes>());
}

// An id comes from a URL: only what new_id makes may become part of a path.
std::expected<std::filesystem::path, StoreError> ReceiptStore::path_of(std::string_view id) const {
  bool well_formed =
      id.starts_with(kPrefix) && fixed_from_hex<kIdBytes>(id.substr(kPrefix.size())).has_value();
  if (!well_formed) return std::unexpected(StoreError::bad_id);
  return folder_ / (std::string(id) + ".json");
}

std::expected<void, StoreError> ReceiptStore::put(std::string_view id,
                                                  std::string_view bundle_json) {
  auto path = path_of(id);
  if (!path) return std::unexpected(path.error());
  if (!write_file(*path, as_bytes(bundle_json), FileMode::secret)) {
    return std::unexpected(StoreError::unwritable);
  }
  return {};
}

std::expected<std::string, StoreError> ReceiptStore::get(std::string_view id) const {
  auto path = path_of(id);
  if (!path) return std::unexpected(path.error());
  auto content = read_file(*path, kMaxBundleBytes);
  if (!content && content.error() == FileError::not_found) {
    return std::unexpected(StoreError::not_found);
  }
  if (!content) return std::unexpected(StoreError::unreadable);
  return std::string(as_text(*content));
}

std::expected<void, StoreError> ReceiptStore::forget(std::string_view id) {
  auto path = path_of(id);
  if (!path) return std::unexpected(path.error());
  std::error_code ec;
  if (!std::filesystem::remove(*path, ec)) return std::unexpected(StoreError::not_found);
  return {};
}

}  // namespace cloister::gateway
