// The network as the API sees it: keeps verified sessions ready ahead of need, so that a prompt
// waits for no block, and switches nodes by itself until the first piece of an answer.
//
// Runs on one single-threaded io_context; nothing here is called from another thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "gateway/config.h"
#include "gateway/job_asker.h"
#include "gateway/receipt_store.h"
#include "gateway/session_opener.h"

namespace cloister::gateway {

struct NetworkParts {
  boost::asio::io_context& context;
  light::Client& ledger;
  SessionOpener& opener;
  JobAsker& jobs;
  ReceiptStore& receipts;
  const GatewayConfig& config;
  const ledger::Genesis& genesis;
  const Clock& clock;
  Random& random;
  const Log& log;
};

class Network final : public Backend {
 public:
  explicit Network(NetworkParts parts);

  // Opens sessions until the wanted number is ready, and again whenever one is used up.
  void start();
  // Called once, when the first session is ready.
  void on_ready(std::function<void()> callback) { on_ready_ = std::move(callback); }
  // Closes every session, so that the ledger returns the deposits.
  boost::asio::awaitable<void> stop();
  void note_refused(RefusedNode node);

  boost::asio::awaitable<std::expected<inference::GenerateResult, ApiError>> ask(
      ChatRequest request, std::string receipt_id, OnPiece on_piece) override;
  std::vector<ModelEntry> models() const override;
  Health health() const override;
  std::vector<RefusedNode> refused_nodes() const override;
  std::expected<std::string, ApiError> receipt(std::string_view id) const override;
  std::expected<std::string, ApiError> attestation_report() const override;

 private:
  using Session = std::unique_ptr<ReadySession>;
  boost::asio::awaitable<void> keep_ready();
  boost::asio::awaitable<void> keep_fresh();
  void note_endpoints(std::vector<light::EndpointReport> reports);
  boost::asio::awaitable<void> follow_ledger();
  SessionWish wish(uint64_t lifetime_blocks) const;
  using Attempt = std::expected<ExchangeResult, ExchangeError>;
  boost::asio::awaitable<Attempt> attempt(const ChatRequest& request, const OnPiece& on_piece);
  boost::asio::awaitable<Attempt> by_session(const ChatRequest& request, const OnPiece& on_piece);
  boost::asio::awaitable<std::expected<Session, ApiError>> take();
  boost::asio::awaitable<void> pause(boost::asio::steady_timer& timer,
                                     std::chrono::milliseconds time);
  void put_back(Session session);
  void drop(Session session);
  void drop_sessions_of(const ledger::InstanceId& instance);
  std::expected<void, ApiError> keep_receipt(const std::string& id, trust::Bundle bundle);
  const ledger::Model& model() const;
  size_t verified_nodes() const;

  const NetworkParts parts_;
  std::deque<Session> ready_;
  size_t in_use_ = 0;
  std::vector<ledger::InstanceId> seen_verified_;
  std::deque<RefusedNode> refused_;
  std::vector<light::EndpointReport> endpoints_;  // as last seen
  std::optional<ApiError> last_error_;
  uint64_t height_ = 0;
  UnixMillis height_seen_ms_ = 0;
  bool stopping_ = false;
  boost::asio::steady_timer wanted_;   // cancelled when a session is wanted
  boost::asio::steady_timer changed_;  // cancelled when one became ready or could not be opened
  boost::asio::steady_timer upkeep_;
  std::function<void()> on_ready_;
};

}  // namespace cloister::gateway
