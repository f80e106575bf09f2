#include "gateway/policy_memory.h"

#include <charconv>

#include "base/files.h"

namespace cloister::gateway {

std::expected<PolicyMemory, std::string> PolicyMemory::open(std::filesystem::path file) {
  if (!std::filesystem::exists(file)) return PolicyMemory(std::move(file), 0);
  const auto content = read_file(file, 32);
  const std::string_view text = content ? as_text(*content) : std::string_view();
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || std::string_view(end, text.data() + text.size()) != "\n") {
    return std::unexpected(file.string() +
                           " is damaged; it keeps the highest policy version that was seen");
  }
  return PolicyMemory(std::move(file), version);
}

bool PolicyMemory::admits(uint64_t version) {
  if (version <= highest_) return version == highest_;
  const std::string text = std::to_string(version) + "\n";
  if (!write_file(file_, as_bytes(text), FileMode::secret)) return false;
  highest_ = version;
  return true;
}

}  // namespace cloister::gateway
