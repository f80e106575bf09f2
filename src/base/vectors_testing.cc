#include "base/vectors_testing.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "base/text.h"

namespace cloister {

using std::filesystem::path;

std::optional<path> vectors_folder(std::string_view source_dir) {
  const char* given = std::getenv("CLOISTER_VECTORS");
  const path folder = given ? path(given) : path(source_dir) / "../shared/vectors";
  if (!std::filesystem::exists(folder / "cases.json")) return std::nullopt;
  return folder;
}

VectorFields read_vector_fields(const path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("no file " + file.filename().string());
  VectorFields out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[' && line.back() == ']') line = line.substr(1, line.size() - 2);
    const auto separator = line.find_first_of("=:");
    if (separator == std::string::npos) {
      out.emplace_back(line, "");
      continue;
    }
    const auto name_end = line.find_last_not_of(' ', separator - 1) + 1;
    const auto value_at = std::min(line.find_first_not_of(' ', separator + 1), line.size());
    out.emplace_back(line.substr(0, name_end), line.substr(value_at));
  }
  return out;
}

Buffer bytes_of_hex(std::string_view hex) {
  auto bytes = from_hex(hex);
  if (!bytes) throw std::runtime_error("no hex: " + std::string(hex.substr(0, 40)));
  return std::move(*bytes);
}

}  // namespace cloister
