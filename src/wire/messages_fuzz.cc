// Property: what decodes, encodes back to the same bytes.
#include "wire/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  Bytes input(data, size);
  if (auto request = wire::Request::decode(input)) {
    auto again = request->encode();
    if (!equal(again, input)) __builtin_trap();
  }
  wire::FrameReader reader;
  reader.feed(input);
  SecretBuffer rebuilt;
  while (auto frame = reader.next()) {
    auto encoded = wire::encode_frame(*frame);
    rebuilt.insert(rebuilt.end(), encoded.begin(), encoded.end());
  }
  if (rebuilt.size() > size || !equal(rebuilt, input.first(rebuilt.size()))) __builtin_trap();
  return 0;
}
