#include "channel/atls/binding.h"

namespace cloister::atls {

Buffer bind_of(crypto::HashKind suite_hash, Bytes spki_der, const Fixed<32>& exported) {
  return crypto::hash(suite_hash, ByteWriter().bytes(spki_der).bytes(exported).view());
}

Fixed<64> report_data(const BindingInputs& inputs) {
  ByteWriter out;
  out.text("cloister atls v1").u8(0).u8(static_cast<uint8_t>(inputs.role));
  // The rest has a fixed size, so a bind of any other length cannot be mistaken for a shorter one.
  out.u8(static_cast<uint8_t>(inputs.bind.size())).bytes(inputs.bind);
  out.bytes(inputs.spki_sha256).bytes(inputs.instance_id);
  out.bytes(inputs.request_sha256).bytes(inputs.claims_sha256);
  return crypto::sha512(out.view());
}

}  // namespace cloister::atls
