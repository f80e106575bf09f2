#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace cloister {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "cloister-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::filesystem::path dir_;
};

TEST_F(Files, WritesReplaceWholeAndKeepSecretsPrivate) {
  auto path = dir_ / "key";
  ASSERT_TRUE(write_file(path, as_bytes("first"), FileMode::secret));
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_TRUE(write_file(path, as_bytes("2"), FileMode::shared));
  EXPECT_EQ(read_file(path, 10), Buffer{'2'});
  auto entries = std::filesystem::directory_iterator(dir_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);  // no temporary file is left
}

TEST_F(Files, EachFailureHasItsError) {
  EXPECT_EQ(read_file(dir_ / "none", 10).error(), FileError::not_found);
  EXPECT_EQ(read_file(dir_, 10).error(), FileError::not_readable);
  ASSERT_TRUE(write_file(dir_ / "long", as_bytes("12345"), FileMode::shared));
  EXPECT_EQ(read_file(dir_ / "long", 4).error(), FileError::too_large);
  EXPECT_EQ(write_file(dir_ / "no" / "dir", {}, FileMode::shared).error(), FileError::not_writable);
}

}  // namespace
}  // namespace cloister
