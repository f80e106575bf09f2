// A manifest that parses has its measurements within their bounds, and parses the same again.
#include <cstdlib>

#include "evidence/rim/swid.h"

using namespace cloister;
using namespace cloister::evidence::rim;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(Bytes(data, size));
  const auto swid = parse_swid(text);
  if (!swid) return 0;
  if (swid->goldens.empty() || swid->goldens.size() > kMaxGoldens) abort();
  for (const Golden& golden : swid->goldens) {
    if (golden.alternatives.empty() || golden.alternatives.size() > kMaxAlternatives) abort();
    for (const Buffer& each : golden.alternatives) {
      if (each.size() != golden.size_bytes) abort();
    }
  }
  if (signature_holds(swid->signature, swid->signature.certificates.front()) &&
      !signature_holds(parse_swid(text)->signature, swid->signature.certificates.front())) {
    abort();
  }
  return 0;
}
