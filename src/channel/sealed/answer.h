// The answer to a sealed request (draft-ietf-ohai-chunked-ohttp, 4.2): its key comes from the
// request's own HPKE context, so it can be of nobody but the owner of the key that was sealed to,
// and for nobody but who sealed. Media type message/ohttp-chunked-res.
#pragma once

#include "channel/sealed/padding.h"
#include "crypto/hpke/hpke.h"

namespace cloister::sealed {

constexpr size_t kResponseNonceBytes = 32;  // max(Nn, Nk)

// What both sides know before the answer's own nonce.
struct AnswerSecret {
  Buffer encapsulated;
  SecretBuffer exported;
};

class AnswerSealer {
 public:
  AnswerSealer(const AnswerSecret& secret, Random& random);
  // Appends the chunk as it travels; the first is preceded by the nonce. Nothing may follow the
  // last.
  void seal(const Pacer::Chunk& chunk, Buffer& out);

 private:
  Fixed<kResponseNonceBytes> response_nonce_;
  crypto::AeadNonce base_nonce_{};
  std::optional<crypto::AeadSealer> sealer_;
  uint64_t chunks_ = 0;
};

class AnswerOpener {
 public:
  explicit AnswerOpener(AnswerSecret secret) : secret_(std::move(secret)) {}
  // What came of the answer, cut anywhere; appends the data that it carries. After an error the
  // opener must not be used again, and what it gave before is not a whole answer.
  Result<void> feed(Bytes more, SecretBuffer& data);
  // The transport has ended. An error when the last chunk was not there, or does not end the
  // answer: what came before is then a part, and worth nothing.
  Result<void> end(SecretBuffer& data);

 private:
  enum class State { nonce, chunks, last };
  Result<bool> step(ByteReader& r, SecretBuffer& data);
  Result<void> open(Bytes sealed, bool last, SecretBuffer& data);

  AnswerSecret secret_;
  State state_ = State::nonce;
  SecretBuffer pending_;
  crypto::AeadNonce base_nonce_{};
  std::optional<crypto::AeadOpener> opener_;
  uint64_t chunks_ = 0;
  size_t bytes_ = 0;  // of all plaintexts
  AnswerReader http_;
  CellReader cells_;
};

}  // namespace cloister::sealed
