// Snapshots for nodes that join by state sync, as folders: dir/HEIGHT/{manifest, 0, 1, …}. Made in
// a thread of their own from a committed state; the newest two are kept.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "chain/snapshot.h"

namespace cloister::chain::abci {

constexpr uint32_t kSnapshotFormat = 1;
constexpr size_t kSnapshotsKept = 2;

class Snapshots {
 public:
  using OnFailure = std::function<void(int64_t height, ChainError error)>;

  explicit Snapshots(std::filesystem::path dir, OnFailure on_failure = {});
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Returns at once; while one is being made others are left out.
  void make(int64_t height, std::shared_ptr<const StateView> view);
  // Until nothing is being made.
  void wait();

  // Those that are complete, the newest first.
  std::vector<SnapshotManifest> list() const;
  std::optional<Buffer> chunk(int64_t height, size_t index) const;

 private:
  void work();
  Status write(int64_t height, const StateView& view) const;
  void prune() const;

  const std::filesystem::path dir_;
  const OnFailure on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const StateView> wanted_;
  int64_t wanted_height_ = 0;
  bool busy_ = false, stopping_ = false;
  std::thread worker_;
};

}  // namespace cloister::chain::abci
