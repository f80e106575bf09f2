#include "blob/folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder_testing.h"
#include "base/text.h"

namespace cloister::blob {
namespace {

struct Scene {
  explicit Scene(FolderLimits limits = {}) : limits_(limits) { reopen(); }
  void reopen() {
    folder.reset();
    folder = std::move(*Folder::open(files.path() / "blobs", limits_, clock));
  }
  Result<Hash32> put(Bytes content, std::optional<Hash32> expected = std::nullopt) {
    auto incoming = folder->put();
    if (!incoming) return std::unexpected(incoming.error());
    if (auto fed = incoming->feed(content); !fed) return std::unexpected(fed.error());
    return incoming->finish(expected);
  }
  Result<std::string> get(const Hash32& sha256, uint64_t offset = 0) {
    auto outgoing = folder->get(sha256, offset);
    if (!outgoing) return std::unexpected(outgoing.error());
    std::string out;
    for (;;) {
      auto more = outgoing->read(3);
      if (!more) return std::unexpected(more.error());
      if (more->empty()) return out;
      out += as_text(*more);
    }
  }
  size_t files_there() const {
    const auto all = std::filesystem::directory_iterator(files.path() / "blobs");
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }

  TemporaryFolder files;
  ManualClock clock{1'800'000'000'000};
  FolderLimits limits_;
  std::unique_ptr<Folder> folder;
};

TEST(Folder, ABlobIsCalledByItsHash) {
  Scene s;
  const auto name = s.put(as_bytes("some text"));
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, crypto::sha256(as_bytes("some text")));
  EXPECT_EQ(*s.get(*name), "some text");
  EXPECT_EQ(*s.get(*name, 5), "text");
  EXPECT_EQ(*s.get(*name, 9), "");
  EXPECT_EQ(s.get(*name, 10).error(), BlobError::not_found);
  EXPECT_EQ(s.get(Hash32{1}).error(), BlobError::not_found);
  s.reopen();
  EXPECT_EQ(*s.get(*name), "some text");
  EXPECT_EQ(s.folder->used_bytes(), 9u);
}

TEST(Folder, AnotherContentThanWasNamedIsNotKept) {
  Scene s;
  EXPECT_EQ(s.put(as_bytes("text"), Hash32{1}).error(), BlobError::wrong_content);
  EXPECT_EQ(s.files_there(), 0u);
  EXPECT_TRUE(s.put(as_bytes("text"), crypto::sha256(as_bytes("text"))));
}

TEST(Folder, WhatWasInterruptedLeavesNothing) {
  Scene s;
  {
    auto incoming = s.folder->put();
    ASSERT_TRUE(incoming->feed(as_bytes("part")));
    EXPECT_EQ(s.files_there(), 1u);
  }
  EXPECT_EQ(s.files_there(), 0u);
  // The same after a crash.
  std::ofstream(s.files.path() / "blobs/incoming-abcdef") << "part";
  s.reopen();
  EXPECT_EQ(s.files_there(), 0u);
  EXPECT_EQ(s.folder->used_bytes(), 0u);
}

TEST(Folder, SizesAreLimited) {
  FolderLimits limits;
  limits.max_blob_bytes = 10;
  limits.quota_bytes = 15;
  Scene s(limits);
  EXPECT_EQ(s.put(Buffer(11)).error(), BlobError::too_large);
  ASSERT_TRUE(s.put(Buffer(10, 1)));
  EXPECT_EQ(s.put(Buffer(6, 2)).error(), BlobError::quota_exceeded);
  ASSERT_TRUE(s.put(Buffer(5, 2)));
  EXPECT_TRUE(s.put(Buffer(0)));
  EXPECT_EQ(s.folder->used_bytes(), 15u);
}

TEST(Folder, PuttingTheSameAgainTakesNoRoomAndRenewsIt) {
  Scene s;
  const auto name = s.put(as_bytes("text"));
  s.clock.advance_ms((s.folder->limits().lifetime_s - 1) * 1000);
  ASSERT_EQ(s.put(as_bytes("text")), *name);
  EXPECT_EQ(s.folder->used_bytes(), 4u);
  s.clock.advance_ms(2000);
  EXPECT_TRUE(s.get(*name));
}

TEST(Folder, WhatHasExpiredIsGoneAndMakesRoom) {
  FolderLimits limits;
  limits.quota_bytes = 10;
  Scene s(limits);
  const auto old = s.put(Buffer(8, 1));
  ASSERT_TRUE(old);
  s.clock.advance_ms(limits.lifetime_s * 1000 - 1000);
  EXPECT_TRUE(s.get(*old));
  EXPECT_EQ(s.put(Buffer(8, 2)).error(), BlobError::quota_exceeded);
  s.clock.advance_ms(1000);
  EXPECT_EQ(s.get(*old).error(), BlobError::not_found);
  EXPECT_TRUE(s.put(Buffer(8, 2)));
  EXPECT_EQ(s.files_there(), 1u);
  s.clock.advance_ms(limits.lifetime_s * 1000);
  EXPECT_EQ(s.folder->collect_garbage(), 1u);
  EXPECT_EQ(s.folder->used_bytes(), 0u);
}

TEST(Folder, AFolderThatCannotBeUsedIsSaid) {
  TemporaryFolder files;
  ManualClock clock(0);
  std::ofstream(files.path() / "file") << "x";
  EXPECT_EQ(Folder::open(files.path() / "file", {}, clock).error(), BlobError::not_writable);
}

}  // namespace
}  // namespace cloister::blob
