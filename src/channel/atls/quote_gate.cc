#include "channel/atls/quote_gate.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cloister::atls {

namespace asio = boost::asio;

bool QuoteGate::may_run(const std::string& peer) const {
  return running_.size() < kMaxQuotes && std::ranges::find(running_, peer) == running_.end();
}

asio::awaitable<Result<QuoteGate::Permit>> QuoteGate::enter(std::string peer) {
  auto executor = co_await asio::this_coro::executor;
  auto mine = std::make_shared<Waiting>();
  mine->peer = peer;
  {
    std::lock_guard lock(mutex_);
    if (may_run(peer)) {
      running_.push_back(peer);
      co_return Permit(*this, std::move(peer));
    }
    const auto same = std::ranges::count(waiting_, peer, [](const auto& w) { return w->peer; });
    if (waiting_.size() >= kMaxWaiting || static_cast<size_t>(same) >= kMaxWaitingOfPeer) {
      co_return std::unexpected(AtlsError::busy);
    }
    mine->turn = std::make_shared<asio::steady_timer>(executor);
    mine->turn->expires_at(asio::steady_timer::time_point::max());
    waiting_.push_back(mine);
  }
  // `leave` cancels the timer on this executor, hence not before this wait has begun.
  co_await mine->turn->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return Permit(*this, std::move(peer));
}

void QuoteGate::leave(const std::string& peer) {
  std::lock_guard lock(mutex_);
  running_.erase(std::ranges::find(running_, peer));
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!may_run((*it)->peer)) {
      ++it;
      continue;
    }
    running_.push_back((*it)->peer);
    auto turn = (*it)->turn;
    asio::post(turn->get_executor(), [turn] { turn->cancel(); });
    it = waiting_.erase(it);
  }
}

}  // namespace cloister::atls
