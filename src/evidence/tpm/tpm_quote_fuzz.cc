// A quote that parses has its fields within their bounds and one value for each selected PCR.
#include <cstdlib>

#include "evidence/tpm/quote.h"

using namespace cloister;
using namespace cloister::evidence::tpm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto quote = parse_quote(Bytes(data, size));
  if (!quote) return 0;
  if (quote->selected.size() != quote->pcrs.size() || quote->pcrs.size() > kPcrCount) abort();
  if (quote->message.size() > kMaxMessageBytes) abort();
  if (quote->extra_data.size() > kMaxNonceBytes) abort();
  return 0;
}
