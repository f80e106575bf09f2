// Property: what decodes as an envelope, a transaction or a body encodes to the same bytes, and
// opening arbitrary bytes ends in a transaction or a code.
#include <cstdlib>

#include "ledger/types/bodies.h"
#include "ledger/types/genesis.h"
#include "ledger/types/receipt.h"
#include "ledger/types/samples_testing.h"

namespace {

using namespace cloister;

template <typename T>
void same(Bytes input) {
  const auto value = T::decode(input);
  if (value && value->encode() != to_buffer(input)) std::abort();
}

// Random bytes rarely come near a record, so the input also edits real ones: pairs of offset and
// byte.
template <typename T>
void same_when_edited(Buffer record, Bytes edits) {
  for (size_t i = 0; i + 2 < edits.size(); i += 3) {
    record[(size_t{edits[i]} << 8 | edits[i + 1]) % record.size()] = edits[i + 2];
  }
  same<T>(record);
}

const Buffer& genesis_bytes() {
  static const Buffer bytes = ledger::sample_network(1).genesis.encode();
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  same<ledger::SignedTx>(input);
  same<ledger::Tx>(input);
  same<ledger::Genesis>(input);
  same<ledger::Instance>(input);
  same<ledger::Session>(input);
  same<ledger::RegisterInstance>(input);
  same<ledger::RenewInstance>(input);
  same<ledger::OpenSession>(input);
  same<ledger::ReportAttestation>(input);
  same<ledger::RotateKeys>(input);
  same<ledger::RevokeInstance>(input);
  same<ledger::RegisterModel>(input);
  same<ledger::PolicyLayers>(input);
  same<ledger::Check>(input);
  same<ledger::Job>(input);
  same<ledger::PostResult>(input);
  same<ledger::OpenReceipt>(input);
  same<ledger::Propose>(input);
  same<ledger::Restriction>(input);
  same<ledger::BeaconShares>(input);
  same<ledger::JoinValidators>(input);
  same<ledger::PutCollateral>(input);
  same<ledger::SignedReceipt>(input);
  same_when_edited<ledger::Session>(ledger::sample_session().encode(), input);
  same_when_edited<ledger::Instance>(ledger::sample_instance().encode(), input);
  same_when_edited<ledger::Genesis>(genesis_bytes(), input);
  const auto tx = ledger::open_tx(input, "chain");
  if (!tx && !ledger::code_from(static_cast<uint32_t>(tx.error()))) std::abort();
  return 0;
}
