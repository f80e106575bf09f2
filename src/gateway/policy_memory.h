// The highest version of the network's policy that this user has ever seen. A ledger that shows an
// older one is refused: whoever took over the validators could otherwise bring back what was
// denied.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace cloister::gateway {

class PolicyMemory {
 public:
  // The error is a sentence for the user: the file is there and damaged.
  static std::expected<PolicyMemory, std::string> open(std::filesystem::path file);

  // Whether a policy of this version may be followed. A higher one is remembered on disk before it
  // is; when that fails it is refused.
  [[nodiscard]] bool admits(uint64_t version);
  uint64_t highest() const { return highest_; }

 private:
  PolicyMemory(std::filesystem::path file, uint64_t highest)
      : file_(std::move(file)), highest_(highest) {}
  std::filesystem::path file_;
  uint64_t highest_ = 0;
};

}  // namespace cloister::gateway
