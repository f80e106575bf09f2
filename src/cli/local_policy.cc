#include "cli/local_policy.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/nearest.h"
#include "cli/toml_file.h"

namespace cloister::cli {
namespace {

constexpr size_t kMaxListed = 256;

std::vector<evidence::TcbStatus> statuses(TomlFile& file, const std::string& key) {
  std::vector<evidence::TcbStatus> out;
  for (const std::string& text : file.texts(key, kMaxListed)) {
    const auto status = evidence::tcb_status_from(text);
    if (!status) file.refuse(key, "has no status " + text);
    if (status) out.push_back(*status);
  }
  return out;
}

std::vector<evidence::Format> formats(TomlFile& file, const std::string& key) {
  std::vector<evidence::Format> out;
  for (const std::string& text : file.texts(key, kMaxListed)) {
    const auto format = evidence::format_from(text);
    if (!format) file.refuse(key, "has no format " + text);
    if (format) out.push_back(*format);
  }
  return out;
}

std::vector<Buffer> measurements(TomlFile& file, const std::string& key) {
  std::vector<Buffer> out;
  for (const std::string& text : file.texts(key, kMaxListed)) {
    auto bytes = from_hex(text);
    if (!bytes || bytes->empty()) file.refuse(key, "holds " + text + ", which is not hex");
    if (bytes) out.push_back(std::move(*bytes));
  }
  return out;
}

}  // namespace

std::expected<policy::LocalPolicy, std::string> read_local_policy(
    const std::filesystem::path& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  policy::LocalPolicy out;
  if (file->has("accepted_statuses")) out.accepted_statuses = statuses(*file, "accepted_statuses");
  out.min_tcb_evaluation_number = file->integer<uint32_t>("min_tcb_evaluation_number", 0);
  out.denied_advisories = file->texts("denied_advisories", kMaxListed);
  out.distrusted_products = file->texts("distrusted_products", kMaxListed);
  if (file->has("accepted_measurements")) {
    out.accepted_measurements = measurements(*file, "accepted_measurements");
  }
  out.denied_measurements = measurements(*file, "denied_measurements");
  out.refused_formats = formats(*file, "refused_formats");
  out.refuse_development = file->boolean("refuse_development", false);
  if (auto good = file->finish(); !good) return std::unexpected(good.error());
  return out;
}

}  // namespace cloister::cli
