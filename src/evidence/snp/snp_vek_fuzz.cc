// Any certificate: the extensions of what parses have the sizes that the header promises.
#include <cstdlib>

#include "evidence/snp/vek.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  using namespace cloister::evidence::snp;
  const auto certificate = crypto::Certificate::from_der(Bytes(data, size));
  if (!certificate) return 0;
  for (SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
    const auto vek = parse_vek(*certificate, kind);
    if (!vek) continue;
    const bool vcek = kind == SigningKey::vcek;
    const size_t id_bytes = vek->product == ProductLine::turin ? 8 : 64;
    if (vek->hardware_id.size() != (vcek ? id_bytes : 0)) std::abort();
    if (vek->cloud_provider.empty() != vcek) std::abort();
  }
  return 0;
}
