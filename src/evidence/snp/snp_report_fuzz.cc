// Whatever parses is made of exactly the bytes that came, and nothing unsigned is free to vary.
#include <cstdlib>

#include "evidence/snp/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  using namespace cloister::evidence::snp;
  const Bytes input(data, size);
  const auto report = parse_report(input);
  if (!report) return 0;
  if (!equal(report->signed_bytes, input.first(kSignedBytes))) std::abort();
  for (size_t at = kSignedBytes; at < size; ++at) {
    const bool significant =
        at < kSignedBytes + 48 || (at >= kSignedBytes + 72 && at < kSignedBytes + 120);
    if (!significant && input[at] != 0) std::abort();
  }
  return 0;
}
