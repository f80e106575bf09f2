// One prompt through the ledger itself (paper, Figure 2): the ledger draws an instance, this
// computer judges the evidence that it registered with, seals the prompt for its proven keys, posts
// it, and opens the answer that the ledger proves. No connection to the instance, ever.
//
// Nothing of the prompt leaves before the judgement holds. A job that is missed or refused is
// refunded by the ledger, and asked again.
#pragma once

#include <map>

#include "base/log.h"
#include "gateway/backend.h"
#include "gateway/draws.h"
#include "gateway/registration.h"
#include "gateway/sealed_chat.h"
#include "gateway/session_wish.h"
#include "payload/payload.h"

namespace cloister::gateway {

struct JobParts {
  light::Client& ledger;
  light::Account& account;
  const ledger::Genesis& genesis;
  const Draws& draws;
  std::optional<policy::LocalPolicy> local_policy;
  sealed::Padding padding;  // of the answers
  std::optional<payload::Store> store;
  const Clock& clock;
  Random& random;
  const Log& log;
  std::function<void(RefusedNode)> on_refused;
};

class JobAsker {
 public:
  using Outcome = std::expected<ExchangeResult, ExchangeError>;
  explicit JobAsker(JobParts parts) : parts_(std::move(parts)) {}

  // One job. `wish.lifetime_blocks`: what the instance has from the input to the result.
  boost::asio::awaitable<Outcome> ask(const ChatRequest& chat, SessionWish wish,
                                      const OnPiece& on_piece);

 private:
  struct Trial;  // one drawn instance under examination
  template <typename T>
  using Answer = boost::asio::awaitable<std::expected<T, ApiError>>;
  // The instance that holds; those that do not are reported, and the ledger draws again.
  Answer<std::unique_ptr<Trial>> find_instance(SessionWish wish);
  Answer<void> examine(Trial& trial);
  Answer<void> judge(Trial& trial);
  Answer<void> evaluate_before(Trial& trial);
  Answer<int64_t> report(const Trial& trial);
  Answer<int64_t> post(const Trial& trial, Buffer message);
  // The job's record when it has ended, however it did.
  Answer<ledger::Session> wait_end(Trial& trial, int64_t height);
  Answer<Buffer> result_of(const Trial& trial);
  Answer<trust::Bundle> final_bundle(Trial& trial);

  bool missed_lately(const ledger::InstanceId& instance);

  const JobParts parts_;
  std::map<ledger::InstanceId, UnixMillis> missed_;  // who let us down, and when
};

}  // namespace cloister::gateway
