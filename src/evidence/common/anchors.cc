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
constexpr std::string_view kNvidiaDeviceIdentityCa =
    "a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4";
constexpr std::string_view kNvidiaRimRootCa =
    "dec1dc316477aa851eebdf51327ae9f864bc8d89254657ed1e7eb9168af1e1a3";
constexpr std::string_view kAwsNitroRootG1 =
    "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225";
constexpr std::string_view kAzureVtpmRoot2023 =
    "5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf";
constexpr std::string_view kGoogleEkAkRoot =
    "56a613f57126a385dd6949294e93b0b566f96ab0573be0c2368e6f5ca779831f";

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
  anchors.nvidia_device_root = {key(kNvidiaDeviceIdentityCa)};
  anchors.nvidia_rim_root = {key(kNvidiaRimRootCa)};
  anchors.aws_nitro_root = {key(kAwsNitroRootG1)};
  anchors.tpm_root = {key(kAzureVtpmRoot2023), key(kGoogleEkAkRoot)};
  return anchors;
}

}  // namespace cloister::evidence
