// What parses lies inside its bytes, and parses to nothing when it is cut or followed by something.
#include <cstdlib>

#include "evidence/cose/sign1.h"

using namespace cloister;
using namespace cloister::evidence::cose;

static void inside(Bytes part, Bytes whole) {
  if (part.empty()) return;
  if (part.data() < whole.data()) abort();
  if (part.data() + part.size() > whole.data() + whole.size()) abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  if (!read_cbor(bytes)) return 0;
  if (read_cbor(bytes.first(size - 1))) abort();
  const auto message = parse_sign1(bytes, Tag::optional);
  if (!message) return 0;
  for (const Bytes part : {message->protected_header, message->payload, message->signature}) {
    inside(part, bytes);
  }
  return 0;
}
