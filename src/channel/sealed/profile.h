// What every request says beside its content, all of it inside the encryption (30-channels, 3): for
// whom it is, what it may cost, until when it is worth anything, and how its answer is padded.
#pragma once

#include "channel/sealed/binary_http.h"

namespace cloister::sealed {

constexpr size_t kMaxChainIdBytes = 50;

// What pays: a session of an attested connection, or a job on the ledger.
enum class Payer : uint8_t { session, job };

// How the lengths of an answer are hidden; numbers and names never change.
enum class Padding : uint8_t {
  off = 0,       // sizes and times of the pieces show
  standard = 1,  // frames of one size, one a tick while there is something to send
  strict = 2,    // a frame every tick up to the end of a bucket, whatever there is to send
};
std::string_view name(Padding padding);  // "off", "default", "strict"
std::optional<Padding> padding_from(std::string_view name);

struct Profile {
  std::string chain_id;
  Payer payer = Payer::session;
  Hash32 id{};            // of the session or job
  uint64_t sequence = 0;  // rises by one a request of the session, from 1
  Hash32 instance{};
  Hash32 key_config_sha256{};
  Hash32 model_root{};
  int64_t deadline_ms = 0;  // unix time after which the answer is worthless
  uint64_t max_units = 0;   // prompt and completion tokens together
  Padding padding = Padding::standard;
  bool operator==(const Profile&) const = default;
};

std::vector<Field> encode_profile(const Profile& profile);
// Exactly the fields of encode_profile, each once, in any order.
Result<Profile> decode_profile(const std::vector<Field>& fields);

}  // namespace cloister::sealed
