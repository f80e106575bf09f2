// One account's transactions: signed with rising nonces and the fee that the ledger asks for, sent
// in order, and followed to their proven outcome.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "ledger/types/tx.h"
#include "light/client.h"

namespace cloister::light {

// Why a transaction did not do what it was to do.
struct SendError {
  std::optional<LightError> light;   // it could not be sent or followed
  std::optional<ledger::Code> code;  // the ledger refused it
  std::string describe() const;
};

// Of one transaction. A ledger that wants more gets nothing: its refusal is the answer.
constexpr uint64_t kMaxFeeMicro = 100'000;

class Account {
 public:
  // The client outlives the account. Used from one strand.
  Account(Client& client, crypto::Ed25519Key key, std::string chain_id,
          asio::any_io_executor executor);

  const ledger::AccountId& id() const { return key_.public_key(); }

  // A body of ledger/types/bodies.h, encoded before the first wait. Returns where it stands, once
  // its outcome is proven to be `ok`.
  template <typename Body>
  asio::awaitable<std::expected<TxOutcomeProof, SendError>> send(const Body& body, Millis timeout) {
    return send_encoded(Body::kKind, body.encode(), timeout);
  }
  // The same for a body that is encoded already.
  asio::awaitable<std::expected<TxOutcomeProof, SendError>> send_encoded(ledger::TxKind kind,
                                                                         Buffer body,
                                                                         Millis timeout);
  // The nonce that the next transaction will carry; for ids that derive from it. Holds until
  // `send`.
  asio::awaitable<std::expected<uint64_t, LightError>> next_nonce();

 private:
  asio::awaitable<std::expected<Hash32, SendError>> broadcast(ledger::TxKind kind,
                                                              const Buffer& body);
  asio::awaitable<std::expected<uint64_t, LightError>> read_nonce();
  asio::awaitable<bool> may_send_again(const SendError& error);

  Client& client_;
  const crypto::Ed25519Key key_;
  const std::string chain_id_;
  std::optional<uint64_t> next_;  // nothing: ask the ledger
  uint64_t fee_micro_ = 0;        // as the ledger's parameters were when it refused less
  bool sending_ = false;          // nonces go out in order: one broadcast at a time
  asio::steady_timer idle_;       // cancelled when `sending_` ends
};

}  // namespace cloister::light
