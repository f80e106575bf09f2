// A PCK extension has one end: with a byte more or less it does not parse.
#include <cstdlib>

#include "evidence/dcap/pck.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Buffer der(data, data + size);
  if (!evidence::dcap::parse_pck_extension(der)) return 0;
  der.push_back(0);
  if (evidence::dcap::parse_pck_extension(der)) abort();
  if (evidence::dcap::parse_pck_extension(Bytes(der).first(size - 1))) abort();
  return 0;
}
