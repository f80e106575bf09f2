#include "gateway/policy_memory.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace cloister::gateway {
namespace {

class PolicyMemoryFile : public ::testing::Test {
 protected:
  PolicyMemoryFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cloister-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  ~PolicyMemoryFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "policy-version"; }

 private:
  std::filesystem::path folder_;
};

TEST_F(PolicyMemoryFile, NeverGoesBackNotEvenAfterARestart) {
  {
    auto memory = PolicyMemory::open(file());
    ASSERT_TRUE(memory);
    EXPECT_TRUE(memory->admits(3));
    EXPECT_TRUE(memory->admits(3));
    EXPECT_FALSE(memory->admits(2));
    EXPECT_TRUE(memory->admits(5));
  }
  auto again = PolicyMemory::open(file());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->highest(), 5u);
  EXPECT_FALSE(again->admits(4));
  EXPECT_TRUE(again->admits(5));
}

TEST_F(PolicyMemoryFile, ADamagedFileIsNotTakenForAnEmptyOne) {
  for (const char* text : {"", "x\n", "5", "-1\n", "5\n5\n", "99999999999999999999\n"}) {
    ASSERT_TRUE(write_file(file(), as_bytes(std::string_view(text)), FileMode::secret));
    EXPECT_FALSE(PolicyMemory::open(file())) << text;
  }
}

TEST(PolicyMemory, WhatCannotBeRememberedIsNotFollowed) {
  auto memory = PolicyMemory::open("/nowhere at all/policy-version");
  ASSERT_TRUE(memory);
  EXPECT_FALSE(memory->admits(1));
}

}  // namespace
}  // namespace cloister::gateway
