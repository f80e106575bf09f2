// Properties: what decodes encodes to the same bytes; no proof shows a key both present and absent.
#include <cstdlib>

#include "merkle/simple.h"
#include "merkle/sparse.h"
#include "merkle/sum.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  const Bytes input(data, size);
  if (auto op = merkle::decode_value_op(input)) {
    if (merkle::encode_value_op(*op) != to_buffer(input)) std::abort();
    (void)merkle::simple_proof_root(op->proof);
  }
  if (const auto sums = merkle::SumProof::decode(input)) {
    if (sums->encode() != to_buffer(input)) std::abort();
    (void)merkle::verify_place({}, Hash32{}, *sums);
  }
  auto proof = merkle::Proof::decode(input);
  if (!proof) return 0;
  if (proof->encode() != to_buffer(input)) std::abort();
  const Bytes key = as_bytes("key"), value = as_bytes("value");
  const auto root = merkle::proof_root(key, *proof);
  if (!root) return 0;
  if (merkle::verify_inclusion(*root, key, value, *proof) &&
      merkle::verify_absence(*root, key, *proof)) {
    std::abort();
  }
  return 0;
}
