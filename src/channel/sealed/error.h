// Why a sealed message was refused. The peer, and whoever listens, learns only that it was: there
// is one outward answer for every cause. The causes are for our own logs and tests.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace cloister::sealed {

enum class SealedError : uint8_t {
  malformed = 1,  // not the outer shape of a message
  too_large = 2,  // a chunk or the message passes its limit
  too_many_chunks = 3,
  unknown_key = 4,         // of no epoch that lives
  suite_mismatch = 5,      // the header names algorithms that the key is not for
  kem_not_allowed = 6,     // X25519 alone where the ciphertext is stored or public
  bad_encapsulated = 7,    // of another size, or of small order
  not_authentic = 8,       // a tag does not hold: changed, moved, repeated, for another key
  truncated = 9,           // ended without its final chunk
  replayed = 10,           // this very message was opened before
  replay_set_full = 11,    // no room to remember another message of the epoch
  inner_malformed = 12,    // what is inside is not binary HTTP as it is written here
  profile_malformed = 13,  // a field is missing, doubled, unknown or unreadable
  wrong_key_config = 14,   // the fields name another key configuration than the message's
  wrong_instance = 15,     // the fields name another instance
  padding_malformed = 16,  // padding that is not zeros, or of a false length
  answer_refused = 17,     // the answer's head says that it is none
  key_config_malformed = 18,
};
template <typename T>
using Result = std::expected<T, SealedError>;

std::string_view name(SealedError error);      // as in logs
std::string_view describe(SealedError error);  // one short sentence

}  // namespace cloister::sealed
