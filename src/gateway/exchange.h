// One request over a ready session: sends it, hands the answer on piece by piece, and accepts the
// end only with a receipt that the attested instance signed for exactly this request and this
// answer.
#pragma once

#include "gateway/backend.h"
#include "gateway/ready_session.h"
#include "wire/messages.h"

namespace cloister::gateway {

struct ExchangeResult {
  inference::GenerateResult result;
  trust::Bundle bundle;  // with the receipt
};

struct ExchangeError {
  ApiError error;
  bool started = false;        // a piece of the answer was already handed on
  bool may_try_other = false;  // another node may do better; never set once `started`
};

// After an error the session's connection must not be used again.
boost::asio::awaitable<std::expected<ExchangeResult, ExchangeError>> exchange(
    ReadySession& session, const ChatRequest& chat, const OnPiece& on_piece, const Clock& clock,
    Random& random);

// What the receipt of this exchange must say; the reason when it does not. Pure.
struct ReceiptExpectation {
  std::string chain_id;
  const ReadySession& session;
  uint64_t sequence = 0;
  Hash32 request_hash{};
  std::string_view answer;  // revealed for hashing only
  uint64_t used_before = 0;
};
std::expected<ledger::SignedReceipt, std::string_view> accept_receipt(
    const wire::Done& done, const ReceiptExpectation& expected);

}  // namespace cloister::gateway
