// A good authenticator with some bytes changed is never accepted, and arbitrary bytes only fail.
#include <cstdlib>

#include "channel/atls/authenticator.h"
#include "channel/atls/leaf.h"

namespace {

using namespace cloister;
using namespace cloister::atls;

struct Good {
  SystemRandom random;
  Leaf leaf = make_leaf(random, 1'800'000'000);
  Exported exported{crypto::HashKind::sha384, SecretBuffer(48, 1), SecretBuffer(48, 2)};
  AttestationRequest request;
  Buffer request_bytes, bytes;

  Good() {
    request.formats = {evidence::Format::tdx_quote};
    request_bytes = encode_request(request);
    bytes = make_authenticator(exported, request_bytes, request.context, leaf.certificate, leaf.key,
                               Buffer(64, 3));
  }
  bool accepts(Bytes authenticator) const {
    return verify_authenticator(exported, request_bytes, request.context, leaf.certificate,
                                authenticator)
        .has_value();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Good good;
  const Bytes input(data, size);
  if (good.accepts(input) && !equal(input, good.bytes)) std::abort();
  Buffer changed = good.bytes;
  for (size_t i = 0; i + 2 < size && i < 30; i += 3) {
    const size_t at = (size_t{data[i]} << 8 | data[i + 1]) % changed.size();
    changed[at] ^= data[i + 2];
  }
  if (good.accepts(changed) != equal(changed, good.bytes)) std::abort();
  return 0;
}
