// Nothing that was not sealed opens, and whatever the inner decoders accept encodes to the same
// bytes again.
#include <cstdlib>

#include "channel/sealed/request.h"

namespace {

using namespace cloister;
using namespace cloister::sealed;

void outer(Bytes input) {
  static SeededRandom random(1);
  static KeyEpochs* const keys = [] {
    auto* out = new KeyEpochs(Hash32{7});
    out->begin(random, 0);
    return out;
  }();
  if (open_request(*keys, input, Carrier::attested_tls, 0, random)) std::abort();
}

void answer(Bytes input) {
  AnswerOpener opener({Buffer(32), SecretBuffer(32)});
  SecretBuffer data;
  if (opener.feed(input, data) && opener.end(data)) std::abort();
}

void inner(Bytes input) {
  const auto request = decode_request(input);
  if (!request) return;
  const auto again = decode_request(encode_request(*request));
  if (!again || again->fields != request->fields || !equal(again->content, request->content)) {
    std::abort();
  }
  const auto profile = decode_profile(request->fields);
  if (profile && decode_profile(encode_profile(*profile)) != *profile) std::abort();
}

void unsealed_answer(Bytes input) {
  AnswerReader http;
  CellReader cells;
  SecretBuffer content, data;
  if (!http.feed(input, content) || !cells.feed(content, data)) return;
  if (data.size() > input.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      outer(input);
      break;
    case 1:
      answer(input);
      break;
    case 2:
      inner(input);
      break;
    case 3:
      unsealed_answer(input);
      break;
    default:
      if (auto config = decode_key_config(input)) {
        if (!equal(encode_key_config(*config), input)) std::abort();
      }
      break;
  }
  return 0;
}
