// Property: no bytes are a proof under a state root that nobody can have a preimage of.
#include <cstdlib>

#include "light/proof.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  using namespace cloister::light;
  const size_t cut = size == 0 ? 0 : data[0] % size;
  const Bytes input(data, size);
  const Buffer key = to_buffer(as_bytes("key"));
  const std::vector<ProofOp> proof = {
      {std::string(kSparseOp), key, to_buffer(input.first(cut))},
      {std::string(kSimpleOp), to_buffer(as_bytes("params")), to_buffer(input.subspan(cut))}};
  const Hash32 root{1};
  if (verify_read(proof, ledger::Family::params, key, as_bytes("value"), root)) std::abort();
  if (verify_read(proof, ledger::Family::params, key, std::nullopt, root)) std::abort();
  return 0;
}
