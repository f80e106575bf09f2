// One prompt for one instance, however it travels: sealed, its answer opened and handed on piece by
// piece, and its end accepted only with a receipt that the instance signed for exactly this request
// and this answer.
#pragma once

#include "channel/sealed/request.h"
#include "gateway/backend.h"
#include "gateway/sealing_keys.h"
#include "ledger/types/session.h"
#include "trust/bundle.h"
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

// For whom a prompt is sealed, and what pays for it.
struct Recipient {
  std::string chain_id;
  sealed::Payer payer = sealed::Payer::session;
  const ledger::Session& session;
  const ledger::Instance& instance;
  const SealingKeys& keys;
  uint64_t sequence = 1;
  uint64_t used_units = 0;  // of the session, before
  sealed::Padding padding = sealed::Padding::standard;
};

// What the receipt of an answer must say; the reason when it does not. Pure.
struct ReceiptExpectation {
  std::string chain_id;
  const ledger::Session& session;
  const ledger::Instance& instance;
  uint64_t sequence = 0;
  Hash32 request_hash{};
  std::string_view answer;  // revealed for hashing only
  uint64_t used_before = 0;
  Hash32 evidence_digest{};  // of the evidence that the user was shown
};
std::expected<ledger::SignedReceipt, std::string_view> accept_receipt(
    const wire::Done& done, const ReceiptExpectation& expected);

// The recipient's records and `on_piece` outlive it.
class SealedChat {
 public:
  using Step = std::expected<void, ExchangeError>;
  using Sealed = std::expected<std::unique_ptr<SealedChat>, ExchangeError>;

  static Sealed seal(const ChatRequest& chat, const Recipient& to, const OnPiece& on_piece,
                     const Clock& clock, Random& random);
  const Buffer& message() const { return message_; }

  // What came of the answer, cut anywhere.
  boost::asio::awaitable<Step> feed(Bytes sealed);
  // The transport has ended: everything must have.
  boost::asio::awaitable<Step> end();
  // The result with `bundle`, completed by the receipt. `evidence` of the bundle is what the user
  // was shown.
  std::expected<ExchangeResult, ExchangeError> finish(trust::Bundle bundle) const;

  std::unexpected<ExchangeError> lost(std::string_view why) const;

 private:
  SealedChat(const Recipient& to, const OnPiece& on_piece, sealed::SealedRequest sealed);
  boost::asio::awaitable<Step> take_frames(Bytes data);
  boost::asio::awaitable<Step> take(wire::Frame frame);

  const Recipient to_;
  const OnPiece& on_piece_;
  Buffer message_;
  sealed::AnswerOpener opener_;
  Hash32 request_hash_{};
  Fixed<32> request_salt_{};
  wire::FrameReader frames_;
  UserText answer_;
  std::optional<wire::Done> done_;
  bool started_ = false;
};

}  // namespace cloister::gateway
