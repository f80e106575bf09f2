// Whole files in and out, bounded and atomic.
#pragma once

#include <expected>
#include <filesystem>

#include "base/bytes.h"

namespace cloister {

enum class FileError { not_found, not_readable, too_large, not_writable };
std::string_view describe(FileError error);

std::expected<Buffer, FileError> read_file(const std::filesystem::path& path, size_t max_bytes);

// Writes beside the target, syncs, and renames: a reader sees the old content or the new, never a
// part. `secret`: only the owner may read it (0600), from the first byte on.
enum class FileMode { shared, secret };
std::expected<void, FileError> write_file(const std::filesystem::path& path, Bytes content,
                                          FileMode mode);

// Where the scripts keep what they fetch: $CLOISTER_CACHE, or `cloister` in the user's cache
// folder.
std::filesystem::path cache_folder();

}  // namespace cloister
