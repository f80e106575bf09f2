#include "chain/abci/snapshots.h"

#include <algorithm>
#include <charconv>

#include "base/files.h"
#include "crypto/hash.h"

namespace cloister::chain::abci {
namespace {

constexpr const char* kManifest = "manifest";
constexpr const char* kDraft = "draft";

std::optional<int64_t> height_of(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  int64_t out = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out);
  if (error != std::errc() || end != name.data() + name.size() || out <= 0) return std::nullopt;
  return out;
}

// Descending.
std::vector<int64_t> heights_in(const std::filesystem::path& dir) {
  std::vector<int64_t> out;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(dir, absent)) {
    if (const auto height = height_of(entry.path())) out.push_back(*height);
  }
  std::sort(out.rbegin(), out.rend());
  return out;
}

}  // namespace

Snapshots::Snapshots(std::filesystem::path dir, OnFailure on_failure)
    : dir_(std::move(dir)), on_failure_(std::move(on_failure)), worker_([this] { work(); }) {}

Snapshots::~Snapshots() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void Snapshots::make(int64_t height, std::shared_ptr<const StateView> view) {
  {
    const std::lock_guard lock(mutex_);
    if (busy_ || wanted_) return;
    wanted_ = std::move(view);
    wanted_height_ = height;
  }
  changed_.notify_all();
}

void Snapshots::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_ && !wanted_; });
}

void Snapshots::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    const auto view = std::exchange(wanted_, nullptr);
    const int64_t height = wanted_height_;
    busy_ = true;
    lock.unlock();
    // Whoever joins takes an older one, or another node's: nothing here depends on it.
    const Status written = write(height, *view);
    if (written) prune();
    if (!written && on_failure_) on_failure_(height, written.error());
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

// Under another name first, so that what has a height for a name is complete.
Status Snapshots::write(int64_t height, const StateView& view) const {
  const auto draft = dir_ / kDraft;
  std::error_code failed;
  std::filesystem::remove_all(draft, failed);
  std::filesystem::create_directories(draft, failed);
  const auto put = [&](const std::string& name, Bytes bytes) -> Status {
    if (write_file(draft / name, bytes, FileMode::secret)) return {};
    return std::unexpected(ChainError::io);
  };
  SnapshotMaker maker([&](size_t index, Bytes chunk) { return put(std::to_string(index), chunk); });
  for (const StateRow& row : view.rows()) {
    const Status added = maker.add(row);
    if (!added) return added;
  }
  const auto manifest = maker.finish(height, view.app_hash());
  if (!manifest) return std::unexpected(manifest.error());
  const Status written = put(kManifest, manifest->encode());
  if (!written) return written;
  const auto place = dir_ / std::to_string(height);
  std::filesystem::remove_all(place, failed);  // of this height before the state was lost
  std::filesystem::rename(draft, place, failed);
  return failed ? std::unexpected(ChainError::io) : Status{};
}

void Snapshots::prune() const {
  const std::vector<int64_t> heights = heights_in(dir_);
  for (size_t i = kSnapshotsKept; i < heights.size(); ++i) {
    std::error_code ignored;  // what cannot be removed now goes another time
    std::filesystem::remove_all(dir_ / std::to_string(heights[i]), ignored);
  }
}

std::vector<SnapshotManifest> Snapshots::list() const {
  std::vector<SnapshotManifest> out;
  for (const int64_t height : heights_in(dir_)) {
    const auto bytes = read_file(dir_ / std::to_string(height) / kManifest, kMaxManifestBytes);
    const auto manifest = bytes ? SnapshotManifest::decode(*bytes) : std::nullopt;
    if (manifest && manifest->height == height) out.push_back(*manifest);
  }
  return out;
}

std::optional<Buffer> Snapshots::chunk(int64_t height, size_t index) const {
  const auto path = dir_ / std::to_string(height) / std::to_string(index);
  auto bytes = read_file(path, kMaxChunkBytes);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

}  // namespace cloister::chain::abci
