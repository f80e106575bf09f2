#include "node/answer_stream.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cloister::node {

namespace asio = boost::asio;

// One chunk a tick, or all there is when there is no clock.
asio::awaitable<bool> AnswerStream::write_due() {
  while (auto chunk = pacer_.next()) {
    Buffer sealed;
    sealer_.seal(*chunk, sealed);
    const bool wrote = co_await write_(sealed);
    if (!wrote) co_return false;
    if (pacer_.clocked()) break;
  }
  co_return true;
}

// A tick that was missed is not made up for: two chunks at once would show that.
asio::awaitable<void> AnswerStream::tick() {
  next_tick_ = std::max(next_tick_ + kTick, std::chrono::steady_clock::now());
  asio::steady_timer timer(co_await asio::this_coro::executor, next_tick_);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

asio::awaitable<bool> AnswerStream::run(Generation& generation) {
  generation.start(co_await asio::this_coro::executor);
  bool reachable = true;
  for (;;) {
    pacer_.push(generation.take_frames());
    if (generation.ended()) pacer_.finish();
    if (reachable) reachable = co_await write_due();
    if (!reachable) generation.cancel();
    if (reachable ? pacer_.done() : generation.ended()) co_return reachable;
    if (reachable && pacer_.clocked()) {
      co_await tick();
    } else {
      co_await generation.wait();
    }
  }
}

asio::awaitable<bool> AnswerStream::refuse(wire::Refusal refusal) {
  pacer_.push(wire::encode_frame(wire::Failed{refusal}));
  pacer_.finish();
  for (;;) {
    const bool reachable = co_await write_due();
    if (!reachable || pacer_.done()) co_return reachable;
    co_await tick();
  }
}

}  // namespace cloister::node
