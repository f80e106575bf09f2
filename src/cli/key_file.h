// Ed25519 keys in files: the 32-byte seed in hex, one line, mode 0600.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "crypto/signature.h"

namespace cloister::cli {

std::optional<crypto::Ed25519Key> read_key_file(const std::filesystem::path& path);
// A new key; nothing when the file cannot be written. Refuses to replace a file that is there by
// returning the key in it.
std::optional<crypto::Ed25519Key> make_key_file(const std::filesystem::path& path, Random& random);
// 32 secret bytes of another kind, in the same form.
std::optional<Secret<32>> read_secret_file(const std::filesystem::path& path);

}  // namespace cloister::cli
