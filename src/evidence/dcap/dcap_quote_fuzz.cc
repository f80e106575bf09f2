// A quote that parses lies wholly inside its bytes, and parses the same without its padding.
#include <cstdlib>

#include "evidence/dcap/quote.h"

using namespace cloister;
using namespace cloister::evidence::dcap;

static void inside(Bytes part, Bytes whole) {
  if (part.empty()) return;
  if (part.data() < whole.data()) abort();
  if (part.data() + part.size() > whole.data() + whole.size()) abort();
}

static void check(Bytes bytes, Tee tee) {
  const auto quote = parse_quote(bytes, tee);
  if (!quote) return;
  if ((quote->td() != nullptr) != (tee == Tee::tdx)) abort();
  if (quote->trailing_bytes >= bytes.size()) abort();
  const Bytes declared = bytes.first(bytes.size() - quote->trailing_bytes);
  for (const Bytes part :
       {quote->signed_part, quote->signature, quote->attestation_key, quote->qe_report_bytes,
        quote->qe_report_signature, quote->qe_authentication_data, quote->pck_chain_pem}) {
    inside(part, declared);
  }
  const auto again = parse_quote(declared, tee);
  if (!again || again->trailing_bytes != 0) abort();
  if (!equal(again->signed_part, quote->signed_part)) abort();
  if (parse_quote(declared.first(declared.size() - 1), tee)) abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check({data, size}, Tee::tdx);
  check({data, size}, Tee::sgx);
  return 0;
}
