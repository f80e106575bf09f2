// Opens a session and does not return it before its instance is verified and the ledger has
// recorded the confirmation. An instance that fails is reported, and the ledger draws another.
#pragma once

#include "base/log.h"
#include "channel/atls/client.h"
#include "gateway/backend.h"
#include "gateway/draws.h"
#include "gateway/ready_session.h"
#include "gateway/session_wish.h"
#include "light/account.h"
#include "policy/local.h"

namespace cloister::gateway {

struct OpenerParts {
  light::Client& ledger;
  light::Account& account;
  atls::Connector& connector;
  const ledger::Genesis& genesis;
  const Draws& draws;
  std::optional<policy::LocalPolicy> local_policy;
  sealed::Padding padding;  // of the answers
  const Clock& clock;
  const Log& log;
  std::function<void(RefusedNode)> on_refused;  // an instance that was not trusted
};

class SessionOpener {
 public:
  using Opened = std::expected<std::unique_ptr<ReadySession>, ApiError>;
  explicit SessionOpener(OpenerParts parts) : parts_(std::move(parts)) {}

  boost::asio::awaitable<Opened> open(SessionWish wish);
  // Ends a session that is no longer wanted; the ledger gives the rest of the escrow back.
  boost::asio::awaitable<void> close(ledger::SessionId session);

 private:
  struct Trial;  // one drawn instance under examination
  boost::asio::awaitable<std::expected<void, ApiError>> examine(Trial& trial);
  boost::asio::awaitable<std::expected<void, ApiError>> attest(Trial& trial);
  boost::asio::awaitable<std::expected<Hash32, atls::Refusal>> judge(
      Trial& trial, const atls::PeerEvidence& peer);
  boost::asio::awaitable<std::expected<void, ApiError>> confirm(Trial& trial);
  boost::asio::awaitable<std::expected<int64_t, ApiError>> report(const Trial& trial);

  const OpenerParts parts_;
};

}  // namespace cloister::gateway
