// Property: bytes that decode as a stored block are exactly what the encoder writes for it.
#include <cstdlib>

#include "chain/block.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  const Bytes input(data, size);
  const auto block = chain::decode_block(input);
  if (block && !equal(chain::encode_block(*block), input)) std::abort();
  return 0;
}
