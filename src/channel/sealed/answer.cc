#include "channel/sealed/answer.h"

#include "channel/sealed/varint.h"

namespace cloister::sealed {
namespace {

// draft-ietf-ohai-chunked-ohttp, 4.2, after RFC 9458, 4.4.
ChunkKey derive(const AnswerSecret& secret, Bytes response_nonce) {
  ByteWriter salt;
  salt.bytes(secret.encapsulated).bytes(response_nonce);
  return derive_chunk_key(salt.view(), secret.exported, "key", "nonce");
}

}  // namespace

AnswerSealer::AnswerSealer(const AnswerSecret& secret, Random& random)
    : response_nonce_(random.fixed<kResponseNonceBytes>()) {
  const auto key = derive(secret, response_nonce_);
  base_nonce_ = key.base_nonce;
  sealer_.emplace(kAead, key.key);
}

void AnswerSealer::seal(const Pacer::Chunk& chunk, Buffer& out) {
  if (chunks_ == 0) out.insert(out.end(), response_nonce_.begin(), response_nonce_.end());
  const size_t sealed_size = chunk.plaintext.size() + crypto::kAeadTagBytes;
  write_varint(out, chunk.last ? 0 : sealed_size);
  const size_t before = out.size();
  out.resize(before + sealed_size);
  sealer_->seal(crypto::numbered_nonce(base_nonce_, chunks_++), chunk_mark(chunk.last),
                chunk.plaintext, std::span(out).subspan(before));
}

Result<void> AnswerOpener::feed(Bytes more, SecretBuffer& data) {
  pending_.insert(pending_.end(), more.begin(), more.end());
  ByteReader r{Bytes(pending_)};
  for (;;) {
    const auto stepped = step(r, data);
    if (!stepped) return std::unexpected(stepped.error());
    if (!*stepped) break;
  }
  pending_.erase(pending_.begin(),
                 pending_.begin() + static_cast<ptrdiff_t>(pending_.size() - r.remaining()));
  if (state_ == State::last && pending_.size() > kMaxSealedChunkBytes) {
    return std::unexpected(SealedError::too_large);
  }
  return {};
}

// False: more bytes are needed.
Result<bool> AnswerOpener::step(ByteReader& r, SecretBuffer& data) {
  if (state_ == State::last) return false;  // as long as the transport goes on
  if (state_ == State::nonce) {
    const auto nonce = r.take(kResponseNonceBytes);
    if (!nonce) return false;
    const auto key = derive(secret_, *nonce);
    base_nonce_ = key.base_nonce;
    opener_.emplace(kAead, key.key);
    state_ = State::chunks;
    return true;
  }
  ByteReader ahead = r;
  const auto size = read_varint(ahead);
  if (!size) return false;
  if (*size == 0) {
    r = ahead;
    state_ = State::last;
    return true;
  }
  if (*size > kMaxSealedChunkBytes) return std::unexpected(SealedError::too_large);
  if (chunks_ + 1 >= kMaxAnswerChunks) return std::unexpected(SealedError::too_many_chunks);
  const auto sealed = ahead.take(*size);
  if (!sealed) return false;
  r = ahead;
  auto opened = open(*sealed, false, data);
  if (!opened) return std::unexpected(opened.error());
  return true;
}

Result<void> AnswerOpener::open(Bytes sealed, bool last, SecretBuffer& data) {
  if (sealed.size() < crypto::kAeadTagBytes) return std::unexpected(SealedError::not_authentic);
  SecretBuffer plaintext(sealed.size() - crypto::kAeadTagBytes);
  const auto nonce = crypto::numbered_nonce(base_nonce_, chunks_);
  if (!opener_->open(nonce, chunk_mark(last), sealed, plaintext)) {
    return std::unexpected(SealedError::not_authentic);
  }
  ++chunks_;
  bytes_ += plaintext.size();
  if (bytes_ > kMaxMessageBytes) return std::unexpected(SealedError::too_large);
  SecretBuffer content;
  if (auto read = http_.feed(plaintext, content); !read) return read;
  return cells_.feed(content, data);
}

Result<void> AnswerOpener::end(SecretBuffer& data) {
  if (state_ != State::last) return std::unexpected(SealedError::truncated);
  if (auto opened = open(pending_, true, data); !opened) return opened;
  if (!http_.ended() || !cells_.between_cells()) {
    return std::unexpected(SealedError::inner_malformed);
  }
  return {};
}

}  // namespace cloister::sealed
