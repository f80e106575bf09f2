// Collateral from anybody: whatever passes is current, and passes under no other roots.
#include <cstdlib>

#include "evidence/collateral.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  ByteReader in({data, size});
  const auto now = in.u32_le();
  const auto first_size = in.u16_le();
  const auto first = first_size ? in.take(*first_size) : std::nullopt;
  if (!now || !first) return 0;  // a refused read takes nothing: a shorter one may still succeed
  const std::vector<Buffer> files = {to_buffer(*first), to_buffer(in.rest())};
  const UnixSeconds time = *now;
  const auto facts = evidence::verify_collateral(files, evidence::vendor_anchors(), time);
  if (!facts) return 0;
  if (facts->issued_at > time || facts->next_update < time || facts->development) std::abort();
  if (evidence::verify_collateral(files, evidence::TrustAnchors{}, time)) std::abort();
  return 0;
}
