// Bounds the quotes under way: a device makes few a second, and each costs up to a second. One at a
// time for a peer, kMaxQuotes at once, a short queue behind them, and `busy` beyond it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <mutex>
#include <string>

#include "channel/atls/error.h"
#include "http/stream.h"

namespace cloister::atls {

constexpr size_t kMaxQuotes = 2;
constexpr size_t kMaxWaiting = 16;
constexpr size_t kMaxWaitingOfPeer = 4;

class QuoteGate {
 public:
  // Leaves the gate when destroyed.
  class Permit {
   public:
    Permit(QuoteGate& gate, std::string peer) : gate_(&gate), peer_(std::move(peer)) {}
    Permit(Permit&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)), peer_(std::move(other.peer_)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (gate_ != nullptr) gate_->leave(peer_);
    }

   private:
    QuoteGate* gate_;
    std::string peer_;
  };

  // Waits for a turn. The gate outlives the permit.
  http::asio::awaitable<Result<Permit>> enter(std::string peer);

 private:
  struct Waiting {
    std::string peer;
    std::shared_ptr<http::asio::steady_timer> turn;
  };
  bool may_run(const std::string& peer) const;
  void leave(const std::string& peer);

  std::mutex mutex_;
  std::vector<std::string> running_;  // peers, one entry a quote
  std::list<std::shared_ptr<Waiting>> waiting_;
};

}  // namespace cloister::atls
