// A quote that parses lies wholly inside its bytes, and parses the same without its padding.
#include <cstdlib>

#include "evidence/dcap/quote.h"

using namespace cloister;

static void inside(Bytes part, Bytes whole) {
  if (part.empty()) return;
  if (part.data() < whole.data()) abort();
  if (part.data() + part.size() > whole.data() + whole.size()) abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const auto quote = evidence::dcap::parse_quote(bytes);
  if (!quote) return 0;
  if (quote->trailing_bytes >= size) abort();
  const Bytes declared = bytes.first(size - quote->trailing_bytes);
  for (const Bytes part :
       {quote->signed_part, quote->signature, quote->attestation_key, quote->qe_report_bytes,
        quote->qe_report_signature, quote->qe_authentication_data, quote->pck_chain_pem}) {
    inside(part, declared);
  }
  const auto again = evidence::dcap::parse_quote(declared);
  if (!again || again->trailing_bytes != 0) abort();
  if (!equal(again->signed_part, quote->signed_part)) abort();
  if (evidence::dcap::parse_quote(declared.first(declared.size() - 1))) abort();
  return 0;
}
