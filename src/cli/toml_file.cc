#include "cli/toml_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "base/bytes.h"
#include "base/files.h"
#include "cli/nearest.h"

namespace cloister::cli {

namespace {
constexpr size_t kMaxConfigBytes = 256 * 1024;
}

struct TomlFile::Impl {
  std::filesystem::path path;
  toml::table table;
  std::vector<std::string> asked;
  std::string fault;

  toml::node_view<toml::node> at(const std::string& key) {
    asked.push_back(key);
    return table.at_path(key);
  }
  void fail(const std::string& key, std::string_view why) {
    if (fault.empty()) fault = fmt::format("{}: {} {}", path.string(), key, why);
  }
};

TomlFile::TomlFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlFile::TomlFile(TomlFile&&) noexcept = default;
TomlFile::~TomlFile() = default;

std::expected<TomlFile, std::string> TomlFile::load(const std::filesystem::path& path) {
  auto content = read_file(path, kMaxConfigBytes);
  if (!content)
    return std::unexpected(fmt::format("{}: {}", path.string(), describe(content.error())));
  auto parsed = toml::parse(as_text(*content), path.string());
  if (!parsed) {
    const auto& error = parsed.error();
    return std::unexpected(fmt::format("{}:{}:{}: {}", path.string(), error.source().begin.line,
                                       error.source().begin.column, error.description()));
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->table = std::move(parsed).table();
  return TomlFile(std::move(impl));
}

std::string TomlFile::text(const std::string& key, std::optional<std::string> fallback) {
  auto node = impl_->at(key);
  if (!node && fallback) return *fallback;
  auto value = node.value_exact<std::string>();
  if (!value) impl_->fail(key, node ? "must be a text" : "is missing");
  return value.value_or("");
}

std::filesystem::path TomlFile::path(const std::string& key) {
  std::filesystem::path value = text(key);
  return value.empty() || value.is_absolute() ? value : impl_->path.parent_path() / value;
}

uint64_t TomlFile::number(const std::string& key, uint64_t max, std::optional<uint64_t> fallback) {
  auto node = impl_->at(key);
  if (!node && fallback) return *fallback;
  auto value = node.value_exact<int64_t>();
  bool fits = value && *value >= 0 && static_cast<uint64_t>(*value) <= max;
  if (!fits)
    impl_->fail(key, node ? fmt::format("must be a number from 0 to {}", max) : "is missing");
  return fits ? static_cast<uint64_t>(*value) : 0;
}

bool TomlFile::boolean(const std::string& key, bool fallback) {
  auto node = impl_->at(key);
  if (!node) return fallback;
  auto value = node.value_exact<bool>();
  if (!value) impl_->fail(key, "must be true or false");
  return value.value_or(fallback);
}

std::vector<std::string> TomlFile::texts(const std::string& key, size_t max_count) {
  std::vector<std::string> out;
  auto node = impl_->at(key);
  if (!node) return out;
  const toml::array* list = node.as_array();
  if (!list || list->size() > max_count) {
    impl_->fail(key, fmt::format("must be a list of at most {} texts", max_count));
    return out;
  }
  for (const auto& each : *list) {
    auto value = each.value_exact<std::string>();
    if (!value) impl_->fail(key, "must be a list of texts");
    out.push_back(value.value_or(""));
  }
  return out;
}

bool TomlFile::has(const std::string& key) {
  return !!impl_->at(key);
}

void TomlFile::refuse(const std::string& key, const std::string& why) {
  impl_->fail(key, why);
}

std::expected<void, std::string> TomlFile::finish() const {
  if (!impl_->fault.empty()) return std::unexpected(impl_->fault);
  std::string unknown;
  auto visit = [&](auto& self, const toml::table& table, const std::string& prefix) -> void {
    for (const auto& [name, node] : table) {
      std::string key = prefix + std::string(name.str());
      if (auto inner = node.as_table()) {
        self(self, *inner, key + ".");
      } else if (std::ranges::find(impl_->asked, key) == impl_->asked.end() && unknown.empty()) {
        unknown = fmt::format("{}:{}: unknown key {}{}", impl_->path.string(),
                              node.source().begin.line, key, suggestion(key, impl_->asked));
      }
    }
  };
  visit(visit, impl_->table, "");
  if (!unknown.empty()) return std::unexpected(unknown);
  return {};
}

}  // namespace cloister::cli
