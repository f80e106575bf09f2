#include "chain/snapshot.h"

#include <gtest/gtest.h>

#include "chain/chain_testing.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

std::vector<StateRow> sample_rows(size_t count) {
  std::vector<StateRow> out;
  for (size_t i = 0; i < count; ++i) {
    const auto family = i < count / 2 ? "accounts" : "jobs";
    out.push_back(
        {family, ByteWriter().u32_be(static_cast<uint32_t>(i)).take(), Buffer(i % 50, 7)});
  }
  return out;
}

struct Made {
  SnapshotManifest manifest;
  std::vector<Buffer> chunks;
};

Made make(const std::vector<StateRow>& rows, size_t chunk_bytes = 300) {
  Made out;
  SnapshotMaker maker(
      [&](size_t index, Bytes chunk) {
        EXPECT_EQ(index, out.chunks.size());
        out.chunks.push_back(to_buffer(chunk));
        return Status();
      },
      chunk_bytes);
  for (const StateRow& row : rows) EXPECT_TRUE(maker.add(row));
  out.manifest = maker.finish(9, Hash32{1}).value();
  return out;
}

bool same(const std::vector<StateRow>& a, const std::vector<StateRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.family == y.family && x.key == y.key && x.value == y.value;
  });
}

TEST(Snapshot, RowsComeBackWhateverTheOrderOfTheChunks) {
  const auto rows = sample_rows(100);
  const Made made = make(rows);
  EXPECT_GT(made.chunks.size(), 5u);
  for (const Buffer& chunk : made.chunks) EXPECT_LE(chunk.size(), 300u);
  SnapshotReader reader(*SnapshotManifest::decode(made.manifest.encode()));
  EXPECT_EQ(reader.missing().size(), made.chunks.size());
  for (size_t i = made.chunks.size(); i-- > 0;) EXPECT_TRUE(reader.add(i, made.chunks[i]));
  EXPECT_TRUE(reader.missing().empty());
  EXPECT_TRUE(same(reader.finish().value(), rows));
}

TEST(Snapshot, OneBytesForOneState) {
  const Made one = make(sample_rows(100)), other = make(sample_rows(100));
  EXPECT_EQ(one.manifest, other.manifest);
  EXPECT_EQ(one.chunks, other.chunks);
}

TEST(Snapshot, ARowLargerThanAChunkHasOneOfItsOwn) {
  std::vector<StateRow> rows = sample_rows(4);
  rows[1].value = Buffer(1000, 1);
  const Made made = make(rows);
  EXPECT_EQ(made.chunks.size(), 3u);
}

TEST(Snapshot, AChunkThatIsNotTheManifestsIsRefusedAndMayComeAgain) {
  const Made made = make(sample_rows(100));
  SnapshotReader reader(made.manifest);
  Buffer spoiled = made.chunks[1];
  spoiled[5] ^= 1;
  EXPECT_EQ(reader.add(1, spoiled).error(), ChainError::bad_snapshot);
  EXPECT_EQ(reader.add(0, made.chunks[1]).error(), ChainError::bad_snapshot);
  EXPECT_EQ(reader.add(made.chunks.size(), made.chunks[0]).error(), ChainError::bad_snapshot);
  for (size_t i = 0; i < made.chunks.size(); ++i) EXPECT_TRUE(reader.add(i, made.chunks[i]));
  EXPECT_TRUE(reader.finish());
}

TEST(Snapshot, NothingIsHandedOutBeforeEverythingIsThere) {
  const Made made = make(sample_rows(100));
  SnapshotReader reader(made.manifest);
  for (size_t i = 1; i < made.chunks.size(); ++i) ASSERT_TRUE(reader.add(i, made.chunks[i]));
  EXPECT_EQ(reader.missing(), std::vector<size_t>{0});
  EXPECT_EQ(reader.finish().error(), ChainError::bad_snapshot);
}

TEST(Snapshot, RowsMustAscend) {
  SnapshotMaker maker([](size_t, Bytes) { return Status(); });
  auto rows = sample_rows(3);
  ASSERT_TRUE(maker.add(rows[1]));
  EXPECT_EQ(maker.add(rows[1]).error(), ChainError::bad_snapshot);
  EXPECT_EQ(maker.add(rows[0]).error(), ChainError::bad_snapshot);
  // Two good halves in the wrong order, under a manifest of somebody who wants it so.
  const Made made = make(sample_rows(100));
  SnapshotManifest swapped = made.manifest;
  std::swap(swapped.chunks[0], swapped.chunks[1]);
  SnapshotReader reader(swapped);
  for (size_t i = 0; i < made.chunks.size(); ++i) {
    ASSERT_TRUE(reader.add(i < 2 ? 1 - i : i, made.chunks[i]));
  }
  EXPECT_EQ(reader.finish().error(), ChainError::bad_snapshot);
}

TEST(Snapshot, AChunkOfAnotherFormIsRefusedEvenWhereTheManifestNamesIt) {
  const Made made = make(sample_rows(100));
  for (size_t size = 1; size < made.chunks[0].size(); ++size) {
    SnapshotManifest manifest = made.manifest;
    const Buffer cut = to_buffer(Bytes(made.chunks[0]).first(size));
    manifest.chunks[0] = crypto::sha256(cut);
    SnapshotReader reader(manifest);
    // A cut between two rows is a smaller chunk: then the root is another, which the caller sees.
    if (reader.add(0, cut)) continue;
    EXPECT_EQ(reader.missing().front(), 0u);
  }
  SnapshotManifest manifest = made.manifest;
  const Buffer huge = {1, 'a', 0xff, 0xff, 0xff, 0xff};
  manifest.chunks[0] = crypto::sha256(huge);
  EXPECT_EQ(SnapshotReader(manifest).add(0, huge).error(), ChainError::bad_snapshot);
}

TEST(Snapshot, ManifestsAreReadStrictly) {
  const Buffer good = make(sample_rows(100)).manifest.encode();
  ASSERT_TRUE(SnapshotManifest::decode(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(SnapshotManifest::decode(Bytes(good).first(size))) << size;
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_FALSE(SnapshotManifest::decode(longer));
  const auto with = [&](size_t at, uint8_t value) {
    Buffer out = good;
    out[at] = value;
    return out;
  };
  EXPECT_FALSE(SnapshotManifest::decode(with(0, 'x')));
  EXPECT_FALSE(SnapshotManifest::decode(with(21, 0x80)));  // a height beyond what blocks have
  EXPECT_FALSE(SnapshotManifest::decode(with(28, 0)));     // before the first
  EXPECT_FALSE(SnapshotManifest::decode(with(61, 0xff)));  // more chunks than there may be
}

TEST(Snapshot, AnErrorOfTheSinkEndsTheMaking) {
  SnapshotMaker maker([](size_t, Bytes) { return Status(std::unexpected(ChainError::disk_full)); },
                      10);
  const auto rows = sample_rows(3);
  ASSERT_TRUE(maker.add(rows[0]));
  EXPECT_EQ(maker.add(rows[1]).error(), ChainError::disk_full);
  SnapshotMaker empty([](size_t, Bytes) { return Status(); });
  EXPECT_EQ(empty.finish(1, {}).error(), ChainError::bad_snapshot);
}

}  // namespace
}  // namespace cloister::chain
