// Strict configuration files: every key is asked for by name and type, and a key that nobody asked
// for is an error that names its line and the nearest name.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cloister::cli {

class TomlFile {
 public:
  // The error is a sentence for the operator.
  static std::expected<TomlFile, std::string> load(const std::filesystem::path& path);
  TomlFile(TomlFile&&) noexcept;
  ~TomlFile();

  // Dotted keys. The first wrong type or value sticks and is what `finish` tells.
  std::string text(const std::string& key, std::optional<std::string> fallback = std::nullopt);
  // Relative paths are relative to the file's folder.
  std::filesystem::path path(const std::string& key);
  uint64_t number(const std::string& key, uint64_t max,
                  std::optional<uint64_t> fallback = std::nullopt);
  template <typename T>
  T integer(const std::string& key, std::optional<uint64_t> fallback = std::nullopt) {
    return static_cast<T>(number(key, std::numeric_limits<T>::max(), fallback));
  }
  bool boolean(const std::string& key, bool fallback);
  // A list of texts; empty when it is not there.
  std::vector<std::string> texts(const std::string& key, size_t max_count);
  bool has(const std::string& key);
  void refuse(const std::string& key, const std::string& why);

  std::expected<void, std::string> finish() const;

 private:
  struct Impl;
  explicit TomlFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::cli
