#include "chain/snapshot.h"

#include <tuple>

#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

constexpr std::string_view kTag("cloister snapshot v1\0", 21);

std::unexpected<ChainError> bad() {
  return std::unexpected(ChainError::bad_snapshot);
}

bool ascends(const StateRow& before, const StateRow& after) {
  return std::tie(before.family, before.key) < std::tie(after.family, after.key);
}

Buffer encoded(const StateRow& row) {
  ByteWriter out;
  out.u8(static_cast<uint8_t>(row.family.size())).text(row.family);
  out.u32_be(static_cast<uint32_t>(row.key.size())).bytes(row.key);
  out.u32_be(static_cast<uint32_t>(row.value.size())).bytes(row.value);
  return out.take();
}

template <typename Length>
std::optional<Bytes> part(ByteReader& in, const std::optional<Length>& length) {
  return length ? in.take(*length) : std::nullopt;
}

std::optional<std::vector<StateRow>> decoded(Bytes chunk) {
  std::vector<StateRow> out;
  for (ByteReader in(chunk); !in.done();) {
    const auto family = part(in, in.u8());
    const auto key = part(in, in.u32_be());
    const auto value = part(in, in.u32_be());
    if (!family || !key || !value) return std::nullopt;
    out.push_back({std::string(as_text(*family)), to_buffer(*key), to_buffer(*value)});
  }
  return out;
}

}  // namespace

Buffer SnapshotManifest::encode() const {
  ByteWriter out;
  out.text(kTag).u64_be(static_cast<uint64_t>(height)).bytes(app_hash);
  out.u32_be(static_cast<uint32_t>(chunks.size()));
  for (const Hash32& chunk : chunks) out.bytes(chunk);
  return out.take();
}

std::optional<SnapshotManifest> SnapshotManifest::decode(Bytes bytes) {
  ByteReader in(bytes);
  const auto tag = in.take(kTag.size());
  const auto height = in.u64_be();
  const auto root = in.fixed<32>();
  const auto count = in.u32_be();
  if (!tag || as_text(*tag) != kTag || !height || *height == 0 || *height > INT64_MAX || !root ||
      !count || *count == 0 || *count > kMaxChunks || in.remaining() != size_t{*count} * 32) {
    return std::nullopt;
  }
  SnapshotManifest out{static_cast<int64_t>(*height), *root, {}};
  while (const auto chunk = in.fixed<32>()) out.chunks.push_back(*chunk);
  return out;
}

Status SnapshotMaker::flush() {
  if (chunk_.empty()) return {};
  if (hashes_.size() == kMaxChunks) return bad();
  hashes_.push_back(crypto::sha256(chunk_));
  const Status written = sink_(hashes_.size() - 1, chunk_);
  chunk_.clear();
  return written;
}

Status SnapshotMaker::add(const StateRow& row) {
  if (last_ && !ascends(*last_, row)) return bad();
  if (row.family.size() > UINT8_MAX) return bad();
  const Buffer bytes = encoded(row);
  if (!chunk_.empty() && chunk_.size() + bytes.size() > chunk_bytes_) {
    const Status written = flush();
    if (!written) return written;
  }
  chunk_.insert(chunk_.end(), bytes.begin(), bytes.end());
  last_ = row;
  return {};
}

Result<SnapshotManifest> SnapshotMaker::finish(int64_t height, const Hash32& app_hash) {
  const Status written = flush();
  if (!written) return std::unexpected(written.error());
  if (hashes_.empty()) return bad();
  return SnapshotManifest{height, app_hash, std::move(hashes_)};
}

SnapshotReader::SnapshotReader(SnapshotManifest manifest)
    : manifest_(std::move(manifest)), rows_(manifest_.chunks.size()) {}

Status SnapshotReader::add(size_t index, Bytes chunk) {
  if (index >= rows_.size() || crypto::sha256(chunk) != manifest_.chunks[index]) return bad();
  auto rows = decoded(chunk);
  if (!rows) return bad();
  rows_[index] = std::move(*rows);
  return {};
}

std::vector<size_t> SnapshotReader::missing() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i]) out.push_back(i);
  }
  return out;
}

Result<std::vector<StateRow>> SnapshotReader::finish() {
  if (!missing().empty()) return bad();
  std::vector<StateRow> out;
  for (auto& chunk : std::exchange(rows_, {})) {
    for (StateRow& row : *chunk) {
      if (!out.empty() && !ascends(out.back(), row)) return bad();
      out.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace cloister::chain
