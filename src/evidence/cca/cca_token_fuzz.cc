// A token that parses has four registers of its hash's size, and parses to nothing when it is cut.
#include <cstdlib>

#include "crypto/hash.h"
#include "evidence/cca/token.h"

using namespace cloister;
using namespace cloister::evidence::cca;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const auto token = parse_token(bytes);
  if (!token) return 0;
  if (token->realm.extensible_measurements.size() != kRealmMeasurements) abort();
  for (const Buffer& each : token->realm.extensible_measurements) {
    if (each.size() != crypto::size_bytes(token->realm.hash_algorithm)) abort();
  }
  if (parse_token(bytes.first(size - 1))) abort();
  return 0;
}
