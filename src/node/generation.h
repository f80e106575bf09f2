// One admitted request under way: runs the model, hands out the frames of the answer as they come,
// and ends with a receipt signed for exactly this request and this answer. Knows no transport.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <stop_token>

#include "base/seams.h"
#include "node/identity.h"
#include "node/sessions.h"
#include "payload/payload.h"

namespace cloister::node {

struct GenerationParts {
  NodeFacts facts;
  Hash32 engine_digest{};  // of the measured program that runs the model
  const Identity& identity;
  inference::Engine& engine;
  boost::asio::thread_pool& workers;   // engine calls block, so they run here
  std::function<void()> receipt_made;  // tells the settler that there is something to do
  const Clock& clock;
  Random& random;
  std::optional<payload::Store> store;  // where documents of requests may lie

  // Two bytes a token of the context: more than half of it is left to the rest of the conversation
  // and to the answer, even where a token is a byte or two.
  size_t document_bytes() const { return size_t{2} * engine.info().context_tokens / 3; }
};

struct Admitted {
  sealed::Profile profile;
  wire::Request request;
  Grant grant;
  Hash32 request_hash{};
  Hash32 evidence_digest{};  // of the evidence that the user was shown
};

// Used on one executor, which `start` is told. The session has begun (Sessions::begin) and is ended
// here, whoever may have left meanwhile.
class Generation {
 public:
  Generation(const GenerationParts& parts, Sessions& sessions, Admitted admitted);
  ~Generation();

  void start(const boost::asio::any_io_executor& executor);
  // The encoded frames that came since the last call, perhaps none.
  SecretBuffer take_frames();
  bool ended() const { return ended_; }  // and all frames were taken
  boost::asio::awaitable<void> wait();   // until there may be more to take
  void cancel() { cancel_.request_stop(); }
  std::stop_source canceller() const { return cancel_; }  // may outlive this

 private:
  struct Mailbox;
  void end(SecretBuffer& out);
  ledger::SignedReceipt make_receipt(const inference::GenerateResult& result,
                                     const Fixed<32>& answer_salt) const;

  const GenerationParts& parts_;
  Sessions& sessions_;
  Admitted admitted_;
  std::stop_source cancel_;
  std::shared_ptr<Mailbox> box_;
  Fixed<32> seed_{};
  inference::SamplerParams sampler_;
  UserText text_;
  bool ended_ = false;
};

}  // namespace cloister::node
