#include "channel/sealed/file.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"

namespace cloister::sealed {
namespace {

constexpr size_t kSealedChunk = kMaxChunkBytes + crypto::kAeadTagBytes;

const FileKey& key() {
  static const FileKey out(Fixed<32>{5});
  return out;
}

Buffer text(size_t size) {
  Buffer out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return out;
}

Buffer seal(Bytes data, size_t step, uint64_t seed = 1) {
  SeededRandom random(seed);
  FileSealer sealer(key(), data.size(), random);
  Buffer out;
  for (size_t at = 0; at < data.size(); at += step) {
    sealer.feed(data.subspan(at, std::min(step, data.size() - at)), out);
  }
  sealer.finish(out);
  return out;
}

Result<Buffer> open(Bytes sealed, size_t step = SIZE_MAX, const FileKey& with = key()) {
  FileOpener opener(with);
  SecretBuffer data;
  for (size_t at = 0; at < sealed.size();) {
    const Bytes part = sealed.subspan(at, std::min(step, sealed.size() - at));
    if (auto fed = opener.feed(part, data); !fed) return std::unexpected(fed.error());
    at += part.size();
  }
  if (auto ended = opener.end(data); !ended) return std::unexpected(ended.error());
  return Buffer(data.begin(), data.end());
}

TEST(SealedFile, EverySizeAroundAChunkComesBackAndTellsOnlyItsBucket) {
  for (size_t size :
       {size_t{0}, size_t{1}, kMaxChunkBytes - 9, kMaxChunkBytes - 8, kMaxChunkBytes - 7,
        kMaxChunkBytes, 2 * kMaxChunkBytes - 8, 2 * kMaxChunkBytes - 7, size_t{300'000}}) {
    const Buffer data = text(size);
    const Buffer sealed = seal(data, 10'000);
    EXPECT_EQ(sealed.size(), sealed_file_size(size)) << size;
    EXPECT_EQ(seal(data, SIZE_MAX), sealed) << size;
    EXPECT_EQ(*open(sealed), data) << size;
    EXPECT_EQ(*open(sealed, 4099), data) << size;
  }
  EXPECT_EQ(sealed_file_size(0), sealed_file_size(kMaxChunkBytes - 8));
  EXPECT_EQ(sealed_file_size(kMaxChunkBytes - 8), kFileSaltBytes + kSealedChunk);
  EXPECT_EQ(sealed_file_size(kMaxChunkBytes - 7), kFileSaltBytes + 2 * kSealedChunk);
}

TEST(SealedFile, CutAnywhereItIsNoFile) {
  const Buffer sealed = seal(text(200'000), SIZE_MAX);
  ASSERT_EQ(sealed.size(), kFileSaltBytes + 4 * kSealedChunk);
  ASSERT_TRUE(open(sealed));
  for (size_t size :
       {size_t{0}, size_t{31}, size_t{32}, size_t{33}, kFileSaltBytes + kSealedChunk - 1}) {
    EXPECT_EQ(open(Bytes(sealed).first(size)).error(), SealedError::truncated) << size;
  }
  // At the border of a chunk, only the mark of the last one is missing.
  EXPECT_EQ(open(Bytes(sealed).first(kFileSaltBytes + 2 * kSealedChunk)).error(),
            SealedError::not_authentic);
  EXPECT_EQ(open(Bytes(sealed).first(sealed.size() - 1)).error(), SealedError::truncated);
}

TEST(SealedFile, ChunksThatAreMovedDoubledSplicedOrChanged) {
  const Buffer data = text(200'000);
  const Buffer sealed = seal(data, SIZE_MAX), other = seal(data, SIZE_MAX, 2);
  const auto chunk = [](Bytes from, size_t i) {
    return from.subspan(kFileSaltBytes + i * kSealedChunk, kSealedChunk);
  };
  const auto of = [&](std::initializer_list<Bytes> chunks) {
    ByteWriter out;
    out.bytes(Bytes(sealed).first(kFileSaltBytes));
    for (const Bytes one : chunks) out.bytes(one);
    return out.take();
  };
  const Bytes a = chunk(sealed, 0), b = chunk(sealed, 1), c = chunk(sealed, 2),
              d = chunk(sealed, 3);
  ASSERT_TRUE(open(of({a, b, c, d})));
  const Buffer bent[] = {of({b, a, c, d}),    of({a, a, b, c, d}),
                         of({a, c, d}),       of({a, chunk(other, 1), c, d}),
                         of({a, b, c, d, d}), of({a, b, c, chunk(other, 3)})};
  for (const Buffer& one : bent) EXPECT_EQ(open(one).error(), SealedError::not_authentic);
  for (size_t at : {size_t{0}, kFileSaltBytes, kFileSaltBytes + kSealedChunk, sealed.size() - 1}) {
    Buffer changed = sealed;
    changed[at] ^= 1;
    EXPECT_EQ(open(changed).error(), SealedError::not_authentic) << at;
  }
  EXPECT_EQ(open(sealed, SIZE_MAX, FileKey(Fixed<32>{6})).error(), SealedError::not_authentic);
}

// A file of one chunk as the format says, around any plaintext: who has the key may still lie.
Buffer one_chunk(Bytes plaintext) {
  using crypto::HashKind;
  const Fixed<kFileSaltBytes> salt{3};
  const auto prk = crypto::hkdf_extract(HashKind::sha256, salt, key().reveal());
  const auto expand = [&](std::string_view info, size_t size) {
    return crypto::hkdf_expand(HashKind::sha256, prk, as_bytes(info), size);
  };
  crypto::AeadSealer sealer(crypto::AeadKind::aes_256_gcm, expand("cloister file v1 key", 32));
  const auto nonce = *to_fixed<12>(expand("cloister file v1 nonce", 12));
  Buffer out(salt.begin(), salt.end());
  out.resize(kFileSaltBytes + plaintext.size() + crypto::kAeadTagBytes);
  sealer.seal(nonce, as_bytes("final"), plaintext, std::span(out).subspan(kFileSaltBytes));
  return out;
}

Buffer chunk_saying(uint64_t size, Bytes data) {
  Buffer out = ByteWriter().u64_be(size).bytes(data).take();
  out.resize(kMaxChunkBytes);
  return out;
}

TEST(SealedFile, FalseSizesAndPaddingAreRefused) {
  EXPECT_EQ(*open(one_chunk(chunk_saying(3, as_bytes("abc")))), to_buffer(as_bytes("abc")));
  EXPECT_EQ(open(one_chunk(chunk_saying(2, as_bytes("abc")))).error(),
            SealedError::padding_malformed);
  EXPECT_EQ(open(one_chunk(chunk_saying(kMaxChunkBytes, as_bytes("abc")))).error(),
            SealedError::inner_malformed);
  EXPECT_EQ(open(one_chunk(chunk_saying(kMaxFileBytes + 1, {}))).error(), SealedError::too_large);
}

TEST(SealedFile, OneKeyForTwoFilesGivesDifferentBytes) {
  const Buffer data = text(100);
  EXPECT_NE(seal(data, SIZE_MAX, 1), seal(data, SIZE_MAX, 2));
}

}  // namespace
}  // namespace cloister::sealed
