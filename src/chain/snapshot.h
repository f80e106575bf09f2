// The state at one height in chunks, the same bytes on every node that makes it, so that they may
// be fetched from anybody (41-consensus, snapshots). Nothing of them is believed before all of it
// has led to the root of the state, which a verified header says.
//
//   manifest = "cloister snapshot v1" ‖ 00 ‖ u64be height ‖ root of the state ‖ u32be count ‖
//              SHA-256 of each chunk
//   chunk    = rows, each whole: u8 length ‖ family ‖ u32be length ‖ key ‖ u32be length ‖ value
//
// Rows ascend by family and key, from chunk to chunk too. A chunk ends before it would pass
// kChunkBytes.
#pragma once

#include <functional>
#include <optional>

#include "chain/application.h"

namespace cloister::chain {

constexpr size_t kChunkBytes = 8 << 20;
constexpr size_t kMaxChunks = 100'000;
constexpr size_t kMaxManifestBytes = 128 + 32 * kMaxChunks;
constexpr size_t kMaxChunkBytes = 2 * kChunkBytes;

struct SnapshotManifest {
  int64_t height = 0;
  Hash32 app_hash{};
  std::vector<Hash32> chunks;

  Buffer encode() const;
  static std::optional<SnapshotManifest> decode(Bytes bytes);
  bool operator==(const SnapshotManifest&) const = default;
};

class SnapshotMaker {
 public:
  using Sink = std::function<Status(size_t index, Bytes chunk)>;
  // Chunks go to `sink` as they fill; its error ends the making. Tests make small ones.
  explicit SnapshotMaker(Sink sink, size_t chunk_bytes = kChunkBytes)
      : sink_(std::move(sink)), chunk_bytes_(chunk_bytes) {}

  // In ascending order, or bad_snapshot.
  Status add(const StateRow& row);
  Result<SnapshotManifest> finish(int64_t height, const Hash32& app_hash);

 private:
  Status flush();

  const Sink sink_;
  const size_t chunk_bytes_;
  Buffer chunk_;
  std::optional<StateRow> last_;
  std::vector<Hash32> hashes_;
};

// Takes chunks in any order. One that is not the manifest's is refused and may be fetched again
// from somebody else.
class SnapshotReader {
 public:
  explicit SnapshotReader(SnapshotManifest manifest);

  Status add(size_t index, Bytes chunk);  // bad_snapshot: another chunk, or not of the form
  std::vector<size_t> missing() const;
  // All rows, for `Application::restore`, which alone decides. bad_snapshot when chunks are missing
  // or rows do not ascend. The reader is empty afterwards.
  Result<std::vector<StateRow>> finish();

 private:
  const SnapshotManifest manifest_;
  std::vector<std::optional<std::vector<StateRow>>> rows_;  // of each chunk
};

}  // namespace cloister::chain
