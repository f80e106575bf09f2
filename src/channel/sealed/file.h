// Large inputs and outputs, which lie elsewhere as ciphertext: encrypted in chunks under a key of
// their own that travels inside the sealed message (30-channels, 3).
//
//   salt[32] ‖ { Seal(chunk) }* ‖ Seal("final", last chunk)      every chunk is 64 KiB and its tag
//   plaintext: u64 size ‖ data ‖ zeros to a power of two of at least 64 KiB
//
// Key and nonce come from HKDF-SHA256 over the file key and the salt, so that one key for two files
// is no harm; chunk i has the nonce XOR i.
#pragma once

#include "base/seams.h"
#include "channel/sealed/padding.h"
#include "crypto/aead.h"

namespace cloister::sealed {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr size_t kFileSaltBytes = 32;
using FileKey = Secret<32>;

// What a file of `size_bytes` takes as ciphertext; the only thing its length tells.
uint64_t sealed_file_size(uint64_t size_bytes);

class FileSealer {
 public:
  // `size_bytes`, at most kMaxFileBytes, is how much will be fed.
  FileSealer(const FileKey& key, uint64_t size_bytes, Random& random);
  // Appends the ciphertext that is ready. Feeding more than was said aborts.
  void feed(Bytes data, Buffer& out);
  // Appends the rest. Feeding less than was said aborts.
  void finish(Buffer& out);

 private:
  void seal_full(bool last, Buffer& out);

  Fixed<kFileSaltBytes> salt_;
  std::optional<crypto::AeadSealer> sealer_;
  crypto::AeadNonce base_nonce_{};
  uint64_t left_;          // bytes of data to come
  uint64_t padding_left_;  // zeros after them
  uint64_t chunks_ = 0;
  SecretBuffer pending_;
};

class FileOpener {
 public:
  explicit FileOpener(const FileKey& key) : key_(key.clone()) {}
  // Ciphertext cut anywhere; appends the data that it carries, each chunk verified before. After an
  // error the opener must not be used again, and what it gave before is not a whole file.
  Result<void> feed(Bytes sealed, SecretBuffer& data);
  // An error when the last chunk was not there.
  Result<void> end(SecretBuffer& data);

 private:
  Result<void> open(Bytes sealed, bool last, SecretBuffer& data);
  Result<void> take(Bytes plaintext, SecretBuffer& data);

  FileKey key_;
  std::optional<crypto::AeadOpener> opener_;
  crypto::AeadNonce base_nonce_{};
  std::optional<uint64_t> left_;  // bytes of data to come; unknown before the first chunk
  uint64_t chunks_ = 0;
  SecretBuffer pending_;
};

}  // namespace cloister::sealed
