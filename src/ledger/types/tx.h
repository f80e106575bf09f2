// Transactions: the envelope, and how it is signed.
#pragma once

#include <expected>

#include "crypto/signature.h"
#include "ledger/types/enums.h"
#include "ledger/types/params.h"

namespace cloister::ledger {

struct Tx : Record<Tx> {
  std::string chain_id;
  AccountId account{};
  uint64_t nonce = 0;
  TxKind kind = TxKind::transfer;
  Buffer body;  // CBOR of the record for `kind`, ledger/types/bodies.h
  uint64_t fee_micro = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "chain_id", r.chain_id, kMaxChainIdBytes);
    v(2, "account", r.account);
    v(3, "nonce", r.nonce);
    v(4, "kind", r.kind);
    v(5, "body", r.body, kMaxBodyBytes);
    v(6, "fee_micro", r.fee_micro);
  }
  bool operator==(const Tx&) const = default;
};

// What goes over the wire. The signature covers the bytes of `tx` as they came.
struct SignedTx : Record<SignedTx> {
  Buffer tx;
  crypto::Ed25519Signature signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "tx", r.tx, kMaxTxBytes);
    v(2, "signature", r.signature);
  }
  bool operator==(const SignedTx&) const = default;
};

// Ed25519 over "cloister tx v1" ‖ 00 ‖ CBOR(tx). `key` must be that of tx.account.
SignedTx sign(const Tx& tx, const crypto::Ed25519Key& key);

// Encoded envelope of one body, ready to send.
template <typename Body>
Buffer make_tx(std::string_view chain_id, uint64_t nonce, const Body& body,
               const crypto::Ed25519Key& key, uint64_t fee_micro = 0) {
  Tx tx;
  tx.chain_id = chain_id;
  tx.account = key.public_key();
  tx.nonce = nonce;
  tx.kind = Body::kKind;
  tx.body = body.encode();
  tx.fee_micro = fee_micro;
  return sign(tx, key).encode();
}

// Opens the envelope in this order: size, form, chain, signature. Nothing of the transaction is
// believed before the signature over it holds.
std::expected<Tx, Code> open_tx(Bytes bytes, std::string_view chain_id);

// The same but for the signature, of bytes that open_tx has opened before.
std::expected<Tx, Code> open_again(Bytes bytes, std::string_view chain_id);

// SHA-256 of the signed bytes, as CometBFT names transactions.
Hash32 tx_id(Bytes signed_tx);

}  // namespace cloister::ledger
