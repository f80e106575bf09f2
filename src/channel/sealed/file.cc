#include "channel/sealed/file.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "crypto/hpke/hpke.h"

namespace cloister::sealed {
namespace {

constexpr size_t kSizeBytes = 8;
constexpr uint64_t kMaxFileChunks = 2 * kMaxFileBytes / kMaxChunkBytes;

uint64_t file_bucket(uint64_t size) {
  return std::max<uint64_t>(kMaxChunkBytes, std::bit_ceil(size + kSizeBytes));
}

ChunkKey derive(const FileKey& key, Bytes salt) {
  return derive_chunk_key(salt, key.reveal(), "cloister file v1 key", "cloister file v1 nonce");
}

void require(bool held) {
  if (!held) std::abort();  // the caller's own mistake
}

}  // namespace

uint64_t sealed_file_size(uint64_t size) {
  const uint64_t bucket = file_bucket(size);
  return kFileSaltBytes + bucket + bucket / kMaxChunkBytes * crypto::kAeadTagBytes;
}

FileSealer::FileSealer(const FileKey& key, uint64_t size, Random& random)
    : salt_(random.fixed<kFileSaltBytes>()),
      left_(size),
      padding_left_(file_bucket(size) - kSizeBytes - size) {
  require(size <= kMaxFileBytes);
  const auto derived = derive(key, salt_);
  sealer_.emplace(kAead, derived.key);
  base_nonce_ = derived.base_nonce;
  const Buffer head = ByteWriter().u64_be(size).take();
  pending_.assign(head.begin(), head.end());
}

void FileSealer::seal_full(bool last, Buffer& out) {
  if (chunks_ == 0) out.insert(out.end(), salt_.begin(), salt_.end());
  out.resize(out.size() + kMaxSealedChunkBytes);
  sealer_->seal(crypto::numbered_nonce(base_nonce_, chunks_++), chunk_mark(last), pending_,
                std::span(out).last(kMaxSealedChunkBytes));
  pending_.clear();
}

void FileSealer::feed(Bytes data, Buffer& out) {
  require(data.size() <= left_);
  left_ -= data.size();
  while (!data.empty()) {
    if (pending_.size() == kMaxChunkBytes) seal_full(false, out);
    const Bytes part = data.first(std::min(data.size(), kMaxChunkBytes - pending_.size()));
    pending_.insert(pending_.end(), part.begin(), part.end());
    data = data.subspan(part.size());
  }
}

void FileSealer::finish(Buffer& out) {
  require(left_ == 0);
  for (;;) {
    const uint64_t zeros = std::min<uint64_t>(padding_left_, kMaxChunkBytes - pending_.size());
    pending_.resize(pending_.size() + zeros);
    padding_left_ -= zeros;
    if (padding_left_ == 0 && pending_.size() == kMaxChunkBytes) break;
    seal_full(false, out);
  }
  seal_full(true, out);
}

Result<void> FileOpener::feed(Bytes sealed, SecretBuffer& data) {
  pending_.insert(pending_.end(), sealed.begin(), sealed.end());
  ByteReader r{Bytes(pending_)};
  if (!opener_) {
    const auto salt = r.take(kFileSaltBytes);
    if (!salt) return {};
    const auto derived = derive(key_, *salt);
    opener_.emplace(kAead, derived.key);
    base_nonce_ = derived.base_nonce;
  }
  // One chunk stays: whether it is the last is known only at the end.
  while (r.remaining() > kMaxSealedChunkBytes) {
    if (auto opened = open(*r.take(kMaxSealedChunkBytes), false, data); !opened) return opened;
  }
  const auto used = static_cast<ptrdiff_t>(pending_.size() - r.remaining());
  pending_.erase(pending_.begin(), pending_.begin() + used);
  return {};
}

Result<void> FileOpener::end(SecretBuffer& data) {
  if (!opener_ || pending_.size() < kMaxSealedChunkBytes)
    return std::unexpected(SealedError::truncated);
  if (auto opened = open(pending_, true, data); !opened) return opened;
  if (*left_ != 0) return std::unexpected(SealedError::inner_malformed);
  return {};
}

Result<void> FileOpener::open(Bytes sealed, bool last, SecretBuffer& data) {
  if (chunks_ == kMaxFileChunks) return std::unexpected(SealedError::too_large);
  SecretBuffer plaintext(kMaxChunkBytes);
  const auto nonce = crypto::numbered_nonce(base_nonce_, chunks_);
  if (!opener_->open(nonce, chunk_mark(last), sealed, plaintext)) {
    return std::unexpected(SealedError::not_authentic);
  }
  ++chunks_;
  return take(plaintext, data);
}

Result<void> FileOpener::take(Bytes plaintext, SecretBuffer& data) {
  ByteReader r(plaintext);
  if (!left_) {
    left_ = r.u64_be();
    if (*left_ > kMaxFileBytes) return std::unexpected(SealedError::too_large);
  }
  const Bytes part = *r.take(static_cast<size_t>(std::min<uint64_t>(*left_, r.remaining())));
  data.insert(data.end(), part.begin(), part.end());
  *left_ -= part.size();
  if (!all_zero(r.rest())) return std::unexpected(SealedError::padding_malformed);
  return {};
}

}  // namespace cloister::sealed
