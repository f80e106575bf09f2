// The C++ side of the interop test: speaks the sealed message over lines of hexadecimal.
//
//   keys                       the key configuration of a fresh instance
//   open MESSAGE DATA PADDING  opens a request to it: its content, and DATA as the sealed answer
//   seal CONFIG CONTENT        a request to the owner of CONFIG
//   answer MESSAGE             what the answer to the last sealed request carries
//
// Each answer is one line; "error NAME" when it was refused.
#include <cstdio>
#include <iostream>
#include <sstream>

#include "base/text.h"
#include "channel/sealed/request.h"
#include "crypto/hash.h"

namespace {

using namespace cloister;
using namespace cloister::sealed;

constexpr UnixMillis kNow = 1'800'000'000'000;

std::string error_line(SealedError error) {
  return "error " + std::string(name(error));
}

class Peer {
 public:
  Peer() { keys_.begin(random_, kNow); }

  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::string verb, first, second, third;
    words >> verb >> first >> second >> third;
    if (first == "-") first.clear();
    if (second == "-") second.clear();
    if (verb == "keys") return to_hex(keys_.newest()->config);
    if (verb == "open") return open(*from_hex(first), *from_hex(second), third);
    if (verb == "seal") return seal(*from_hex(first), *from_hex(second));
    if (verb == "answer") return answer(*from_hex(first));
    return "error unknown verb";
  }

 private:
  std::string open(Bytes message, Bytes data, std::string_view padding) {
    auto opened = open_request(keys_, message, Carrier::open, kNow, random_);
    if (!opened) return error_line(opened.error());
    Pacer pacer(*padding_from(padding));
    pacer.push(data);
    pacer.finish();
    Buffer sealed;
    while (auto chunk = pacer.next()) opened->answer.seal(*chunk, sealed);
    return to_hex(opened->content) + " " + to_hex(sealed);
  }

  std::string seal(Bytes config, Bytes content) {
    const auto to = decode_key_config(config);
    if (!to) return error_line(to.error());
    Profile profile;
    profile.chain_id = "interop";
    profile.sequence = 1;
    profile.instance = Hash32{7};
    profile.key_config_sha256 = crypto::sha256(config);
    profile.deadline_ms = kNow;
    profile.max_units = 1;
    auto made = seal_request(*to, crypto::KemKind::x_wing, profile, "/interop", content, random_);
    if (!made) return error_line(made.error());
    secret_ = std::move(made->answer);
    return to_hex(made->message);
  }

  std::string answer(Bytes message) {
    AnswerOpener opener(secret_);
    SecretBuffer data;
    if (auto fed = opener.feed(message, data); !fed) return error_line(fed.error());
    if (auto ended = opener.end(data); !ended) return error_line(ended.error());
    return "data " + to_hex(data);
  }

  SystemRandom random_;
  KeyEpochs keys_{Hash32{7}};
  AnswerSecret secret_;
};

}  // namespace

int main() {
  Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%s\n", peer.run(line).c_str());
    std::fflush(stdout);
  }
  return 0;
}
