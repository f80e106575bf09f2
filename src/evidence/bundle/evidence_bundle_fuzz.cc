// A bundle that reads, written in either encoding, reads as the same bundle.
#include <cstdlib>

#include "evidence/bundle/cmw.h"

using namespace cloister;
using namespace cloister::evidence::bundle;

namespace {

bool same(const Bundle& a, const Bundle& b) {
  if (a.items.size() != b.items.size() || a.collateral.size() != b.collateral.size()) return false;
  for (const Item& each : a.items) {
    bool found = false;
    for (const Item& other : b.items) {
      found = found || (each.label == other.label && each.evidence.bytes == other.evidence.bytes &&
                        each.evidence.format == other.evidence.format);
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bundle = read_bundle(Bytes(data, size));
  if (!bundle) return 0;
  // An item below "collateral" would meet the place where collateral is written.
  for (const Item& each : bundle->items) {
    if (each.label.starts_with("collateral")) return 0;
  }
  const std::string json = to_json(*bundle);
  if (const auto again = read_bundle(as_bytes(json)); !again || !same(*bundle, *again)) abort();
  const auto again = read_bundle(to_cbor(*bundle));
  if (!again || !same(*bundle, *again)) abort();
  return 0;
}
