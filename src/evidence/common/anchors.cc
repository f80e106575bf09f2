// The vendors' root keys, as SHA-256 of SubjectPublicKeyInfo. A root is pinned by its key because
// vendors reissue root certificates over the same key. anchors_test.cc recomputes each from the
// vendor's certificate.
#include "base/text.h"
#include "evidence/common/evidence.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kIntelSgxRootCa =
    "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";
constexpr std::string_view kAmdArkMilan =
    "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9";
constexpr std::string_view kAmdArkGenoa =
    "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831";
constexpr std::string_view kAmdArkTurin =
    "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08";

Hash32 key(std::string_view hex) {
  return fixed_from_hex<32>(hex).value();
}

}  // namespace

TrustAnchors vendor_anchors() {
  TrustAnchors anchors;
  anchors.intel_sgx_root = {key(kIntelSgxRootCa)};
  anchors.amd_ark = {{"Milan", {key(kAmdArkMilan)}},
                     {"Genoa", {key(kAmdArkGenoa)}},
                     {"Turin", {key(kAmdArkTurin)}}};
  return anchors;
}

}  // namespace cloister::evidence
