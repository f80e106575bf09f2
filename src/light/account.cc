#include "light/account.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ledger/types/account.h"
#include "ledger/types/keys.h"
#include "ledger/types/params.h"

namespace cloister::light {

namespace {
constexpr Millis kReadTimeout{15'000};
constexpr int kMaxTries = 3;  // both may have changed: the nonce and the fee
}  // namespace

std::string SendError::describe() const {
  if (light) return std::string(light::describe(*light));
  if (code) return std::string(ledger::describe(*code));
  return "unknown";
}

Account::Account(Client& client, crypto::Ed25519Key key, std::string chain_id,
                 asio::any_io_executor executor)
    : client_(client),
      key_(std::move(key)),
      chain_id_(std::move(chain_id)),
      idle_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<std::expected<uint64_t, LightError>> Account::read_nonce() {
  auto read =
      co_await client_.read(ledger::Family::accounts, ledger::id_key(id()), 0, kReadTimeout);
  if (!read) co_return std::unexpected(read.error());
  if (!read->value) co_return uint64_t{0};
  auto account = ledger::Account::decode(*read->value);
  if (!account) co_return std::unexpected(LightError::wrong_proof_value);
  co_return account->nonce;
}

asio::awaitable<std::expected<uint64_t, LightError>> Account::next_nonce() {
  if (!next_) {
    auto nonce = co_await read_nonce();
    if (!nonce) co_return std::unexpected(nonce.error());
    if (!next_) next_ = *nonce;  // another coroutine may have asked meanwhile
  }
  co_return *next_;
}

asio::awaitable<std::expected<Hash32, SendError>> Account::broadcast(ledger::TxKind kind,
                                                                     const Buffer& body) {
  auto nonce = co_await next_nonce();
  if (!nonce) co_return std::unexpected(SendError{nonce.error(), {}});
  ledger::Tx tx;
  tx.chain_id = chain_id_;
  tx.account = id();
  tx.nonce = *nonce;
  tx.kind = kind;
  tx.body = body;
  tx.fee_micro = fee_micro_;
  Buffer bytes = ledger::sign(tx, key_).encode();
  Hash32 tx_id = ledger::tx_id(bytes);
  auto sent = co_await client_.broadcast(std::move(bytes));
  if (!sent || sent->code != 0) next_.reset();  // what the ledger expects now, only it knows
  if (!sent) co_return std::unexpected(SendError{sent.error(), {}});
  if (sent->code != 0) co_return std::unexpected(SendError{{}, ledger::code_from(sent->code)});
  next_ = *nonce + 1;
  co_return tx_id;
}

// With the ledger's own number, which is asked for anew, or with the fee that it wants.
asio::awaitable<bool> Account::may_send_again(const SendError& error) {
  if (error.code == ledger::Code::wrong_nonce) co_return true;
  if (error.code != ledger::Code::fee_too_low) co_return false;
  Buffer key = to_buffer(as_bytes(ledger::kParamsKey));
  const auto read = co_await client_.read(ledger::Family::params, std::move(key), 0, kReadTimeout);
  if (!read || !read->value) co_return false;
  const auto params = ledger::Params::decode(*read->value);
  if (!params || params->min_fee_micro > kMaxFeeMicro) co_return false;
  const bool changed = params->min_fee_micro != fee_micro_;
  fee_micro_ = params->min_fee_micro;
  co_return changed;
}

asio::awaitable<std::expected<TxOutcomeProof, SendError>> Account::send_encoded(ledger::TxKind kind,
                                                                                Buffer body,
                                                                                Millis timeout) {
  while (sending_) {
    boost::system::error_code woken;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  sending_ = true;
  auto tx_id = co_await broadcast(kind, body);
  for (int tries = 1; !tx_id && tries < kMaxTries; ++tries) {
    const bool again = co_await may_send_again(tx_id.error());
    if (!again) break;
    tx_id = co_await broadcast(kind, body);
  }
  sending_ = false;
  idle_.cancel();
  if (!tx_id) co_return std::unexpected(tx_id.error());
  auto outcome = co_await client_.wait_tx(*tx_id, timeout);
  if (!outcome) {
    next_.reset();
    co_return std::unexpected(SendError{outcome.error(), {}});
  }
  if (outcome->code != 0)
    co_return std::unexpected(SendError{{}, ledger::code_from(outcome->code)});
  co_return *outcome;
}

}  // namespace cloister::light
