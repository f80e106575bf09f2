// Blobs in a local folder, each in a file that is called by the SHA-256 of its content. What is
// here is ciphertext: the folder keeps it and knows nothing of it.
//
// Not for two processes at a time: sizes are counted at the start and kept along.
#pragma once

#include <filesystem>

#include "base/seams.h"
#include "blob/error.h"
#include "crypto/hash.h"

namespace cloister::blob {

struct FolderLimits {
  uint64_t quota_bytes = uint64_t{10} << 30;
  uint64_t max_blob_bytes = uint64_t{1} << 30;
  int64_t lifetime_s = 7 * 24 * 3600;  // since it was last put
};

class Folder;

// A blob on its way in. Nothing of it stays unless `finish` succeeds.
class Incoming {
 public:
  ~Incoming();
  Incoming(Incoming&&) noexcept;
  Result<void> feed(Bytes more);
  // The name it got. `expected`: the only one that is accepted (wrong_content otherwise).
  Result<Hash32> finish(const std::optional<Hash32>& expected = std::nullopt);

 private:
  friend class Folder;
  Incoming(Folder& folder, std::filesystem::path path, int descriptor);

  Folder* folder_;
  std::filesystem::path path_;
  int descriptor_;
  uint64_t size_ = 0;
  crypto::Sha256 hash_;
};

// A blob on its way out.
class Outgoing {
 public:
  ~Outgoing();
  Outgoing(Outgoing&&) noexcept;
  uint64_t size_bytes() const { return size_; }
  // The next bytes of it, at most `max_bytes`; empty at the end.
  Result<Buffer> read(size_t max_bytes);

 private:
  friend class Folder;
  Outgoing(int descriptor, uint64_t size) : descriptor_(descriptor), size_(size) {}

  int descriptor_;
  uint64_t size_;
};

class Folder {
 public:
  // Makes the folder where there is none; throws away what an interrupted put left.
  static Result<std::unique_ptr<Folder>> open(std::filesystem::path path, FolderLimits limits,
                                              const Clock& clock);

  Result<Incoming> put();
  // From `offset` on, which may be its size. Not verified here: whoever reads compares the hash.
  Result<Outgoing> get(const Hash32& sha256, uint64_t offset = 0) const;
  // Removes what has expired; how many blobs that were.
  size_t collect_garbage();
  uint64_t used_bytes() const { return used_; }
  const FolderLimits& limits() const { return limits_; }

 private:
  friend class Incoming;
  Folder(std::filesystem::path path, FolderLimits limits, const Clock& clock)
      : path_(std::move(path)), limits_(limits), clock_(clock) {}
  std::filesystem::path file_of(const Hash32& sha256) const;
  Result<void> make_room(uint64_t bytes);
  Result<void> keep(const std::filesystem::path& incoming, const Hash32& sha256, uint64_t size);
  bool expired(const std::filesystem::path& file) const;

  const std::filesystem::path path_;
  const FolderLimits limits_;
  const Clock& clock_;
  uint64_t used_ = 0;
};

}  // namespace cloister::blob
