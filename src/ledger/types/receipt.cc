#include "ledger/types/receipt.h"

#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

Buffer signing_bytes(const Receipt& receipt) {
  return tagged("cloister receipt v1").bytes(receipt.encode()).take();
}

}  // namespace

SignedReceipt sign_receipt(const Receipt& receipt, const crypto::Ed25519Key& identity) {
  SignedReceipt out;
  out.receipt = receipt;
  out.signature = identity.sign(signing_bytes(receipt));
  return out;
}

bool verify_receipt(const SignedReceipt& signed_receipt,
                    const crypto::Ed25519Public& identity_key) {
  return crypto::verify_ed25519(identity_key, signing_bytes(signed_receipt.receipt),
                                signed_receipt.signature);
}

template struct Record<SamplerRecord>;
template struct Record<Receipt>;
template struct Record<SignedReceipt>;

}  // namespace cloister::ledger
