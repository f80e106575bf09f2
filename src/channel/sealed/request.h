// The sealed request (draft-ietf-ohai-chunked-ohttp, 4.1, over RFC 9458): binary HTTP with the
// profile's fields, padded to a bucket, encrypted in chunks to one key of an instance. Media type
// message/ohttp-chunked-req.
#pragma once

#include "channel/sealed/answer.h"
#include "channel/sealed/key_config.h"
#include "channel/sealed/key_epochs.h"

namespace cloister::sealed {

constexpr std::string_view kRequestMediaType = "message/ohttp-chunked-req";
constexpr std::string_view kAnswerMediaType = "message/ohttp-chunked-res";

// --- the user's side ----------------------------------------------------------------------------

struct SealedRequest {
  Buffer message;
  AnswerSecret answer;  // for the AnswerOpener
};
// `profile.key_config_sha256` must be the hash of `to` as it was encoded. too_large when message or
// content pass their limits; bad_encapsulated when the mechanism refuses the key.
Result<SealedRequest> seal_request(const KeyConfig& to, crypto::KemKind kem, const Profile& profile,
                                   std::string_view path, Bytes content, Random& random);

// --- the instance's side ------------------------------------------------------------------------

// What brought the message. X25519 alone is allowed only where nobody can keep the ciphertext for
// a quantum computer of later: inside attested TLS. What the ledger carries is everybody's to copy:
// whoever posts a copy first must not use it up for its owner, so it may open again. The caller
// answers one input a job, and only when the profile names that job.
enum class Carrier : uint8_t { attested_tls, open, ledger };

struct OpenedRequest {
  Profile profile;
  std::string path;
  SecretBuffer content;
  AnswerSealer answer;
};
// In this order: size, key, algorithms, replay, encapsulation, chunks, content, fields. A message
// that opens is remembered until its epoch ends and never opens again, unless the ledger carries
// it.
Result<OpenedRequest> open_request(KeyEpochs& keys, Bytes message, Carrier carrier,
                                   UnixMillis now_ms, Random& random);

}  // namespace cloister::sealed
