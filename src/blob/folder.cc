#include "blob/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace cloister::blob {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIncoming = "incoming-";

bool is_blob(const fs::path& file) {
  return fixed_from_hex<32>(file.filename().string()).has_value();
}

int64_t modified_s(const fs::path& file) {
  struct stat status{};
  return ::stat(file.c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

// The time of the last put, by our own clock.
void touch(int descriptor, UnixSeconds now) {
  const timespec times[2] = {{now, 0}, {now, 0}};
  ::futimens(descriptor, times);
}

}  // namespace

Incoming::Incoming(Folder& folder, fs::path path, int descriptor)
    : folder_(&folder), path_(std::move(path)), descriptor_(descriptor) {}

Incoming::Incoming(Incoming&& other) noexcept
    : folder_(other.folder_),
      path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      hash_(std::move(other.hash_)) {}

Incoming::~Incoming() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

Result<void> Incoming::feed(Bytes more) {
  if (more.size() > folder_->limits_.max_blob_bytes - size_) {
    return std::unexpected(BlobError::too_large);
  }
  if (auto room = folder_->make_room(size_ + more.size()); !room) return room;
  hash_.update(more);
  size_ += more.size();
  while (!more.empty()) {
    const ssize_t wrote = ::write(descriptor_, more.data(), more.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return std::unexpected(BlobError::not_writable);
    more = more.subspan(static_cast<size_t>(wrote));
  }
  return {};
}

Result<Hash32> Incoming::finish(const std::optional<Hash32>& expected) {
  const Hash32 sha256 = hash_.finish();
  if (expected && *expected != sha256) return std::unexpected(BlobError::wrong_content);
  touch(descriptor_, folder_->clock_.now());
  if (::fsync(descriptor_) != 0) return std::unexpected(BlobError::not_writable);
  if (auto kept = folder_->keep(path_, sha256, size_); !kept) {
    return std::unexpected(kept.error());
  }
  ::close(std::exchange(descriptor_, -1));
  return sha256;
}

Outgoing::Outgoing(Outgoing&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

Outgoing::~Outgoing() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Buffer> Outgoing::read(size_t max_bytes) {
  Buffer out(max_bytes);
  for (;;) {
    const ssize_t got = ::read(descriptor_, out.data(), out.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(BlobError::not_writable);
    out.resize(static_cast<size_t>(got));
    return out;
  }
}

Result<std::unique_ptr<Folder>> Folder::open(fs::path path, FolderLimits limits,
                                             const Clock& clock) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed || ::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return std::unexpected(BlobError::not_writable);
  }
  std::unique_ptr<Folder> out(new Folder(std::move(path), limits, clock));
  for (const auto& entry : fs::directory_iterator(out->path_, failed)) {
    std::error_code gone;
    if (entry.path().filename().string().starts_with(kIncoming)) fs::remove(entry.path(), gone);
    if (is_blob(entry.path())) out->used_ += entry.file_size(gone);
  }
  if (failed) return std::unexpected(BlobError::not_writable);
  out->collect_garbage();
  return out;
}

fs::path Folder::file_of(const Hash32& sha256) const {
  return path_ / to_hex(sha256);
}

bool Folder::expired(const fs::path& file) const {
  return modified_s(file) + limits_.lifetime_s <= clock_.now();
}

Result<Incoming> Folder::put() {
  std::string name = (path_ / (std::string(kIncoming) + "XXXXXX")).string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(BlobError::not_writable);
  return Incoming(*this, name, descriptor);
}

// What has not expired is never thrown away for something new.
Result<void> Folder::make_room(uint64_t bytes) {
  if (bytes > limits_.quota_bytes) return std::unexpected(BlobError::quota_exceeded);
  if (used_ + bytes > limits_.quota_bytes) collect_garbage();
  if (used_ + bytes > limits_.quota_bytes) return std::unexpected(BlobError::quota_exceeded);
  return {};
}

Result<void> Folder::keep(const fs::path& incoming, const Hash32& sha256, uint64_t size) {
  const fs::path file = file_of(sha256);
  const bool known = fs::exists(file);
  std::error_code failed;
  fs::rename(incoming, file, failed);  // the same content, and a new time
  if (failed) return std::unexpected(BlobError::not_writable);
  if (!known) used_ += size;
  return {};
}

Result<Outgoing> Folder::get(const Hash32& sha256, uint64_t offset) const {
  const fs::path file = file_of(sha256);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(BlobError::not_found);
  struct stat status{};
  const bool known = ::fstat(descriptor, &status) == 0;
  Outgoing out(descriptor, known ? static_cast<uint64_t>(status.st_size) : 0);
  if (!known || expired(file)) return std::unexpected(BlobError::not_found);
  if (offset > out.size_bytes()) return std::unexpected(BlobError::not_found);
  ::lseek(descriptor, static_cast<off_t>(offset), SEEK_SET);
  return out;
}

size_t Folder::collect_garbage() {
  size_t removed = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path_, failed)) {
    if (!is_blob(entry.path()) || !expired(entry.path())) continue;
    std::error_code gone;
    const uint64_t size = entry.file_size(gone);
    if (gone || !fs::remove(entry.path(), gone)) continue;
    used_ -= std::min(used_, size);
    ++removed;
  }
  return removed;
}

}  // namespace cloister::blob
