// A document that parses has its fields within their bounds, and parses to nothing when it is cut.
#include <cstdlib>

#include "evidence/nitro/document.h"

using namespace cloister;
using namespace cloister::evidence::nitro;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const auto document = parse_document(bytes);
  if (!document) return 0;
  if (document->pcrs.size() > kMaxPcrs || document->cabundle.size() > kMaxCaBundle) abort();
  if (document->module_id.size() > kMaxModuleIdBytes) abort();
  if (parse_document(bytes.first(size - 1))) abort();
  return 0;
}
