// An instance with keys and a user that seals to it.
#pragma once

#include "channel/sealed/request.h"

namespace cloister::sealed {

inline constexpr UnixMillis kTestNow = 1'800'000'000'000;

struct TestPeers {
  explicit TestPeers(uint64_t seed = 1) : random(seed), keys(Hash32{7}) {
    keys.begin(random, kTestNow);
  }
  KeyConfig config() const { return *decode_key_config(keys.newest()->config); }
  Profile profile() const;
  // A request with `content`; must succeed.
  SealedRequest seal(std::string_view content, crypto::KemKind kem = crypto::KemKind::x_wing);
  SealedRequest seal(const Profile& profile, std::string_view content,
                     crypto::KemKind kem = crypto::KemKind::x_wing);
  Result<OpenedRequest> open(Bytes message, Carrier carrier = Carrier::open,
                             UnixMillis now_ms = kTestNow) {
    return open_request(keys, message, carrier, now_ms, random);
  }

  SeededRandom random;
  KeyEpochs keys;
};

// The whole answer as it travels, chunk by chunk.
std::vector<Buffer> seal_answer(AnswerSealer& sealer, Padding padding, std::string_view data);
Buffer joined(const std::vector<Buffer>& chunks);
// What an opener makes of `message`, given at once.
Result<std::string> open_answer(const AnswerSecret& secret, Bytes message);

}  // namespace cloister::sealed
