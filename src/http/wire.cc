#include "http/wire.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cloister::http {
namespace {

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kMaxReadAheadBytes = 32 * 1024;
constexpr size_t kMaxLingerBytes = 256 * 1024;
constexpr Millis kLingerTime{500};
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

Wire::Wire(std::unique_ptr<Stream> stream)
    : stream_(std::move(stream)),
      incoming_(kReadBytes),
      read_timer_(stream_->executor()),
      write_timer_(stream_->executor()) {}

// A connection outlives its messages: what was read of them is wiped now, not when it closes.
void Wire::consume(size_t count) {
  wipe(buffer_.data() + consumed_, count);
  consumed_ += count;
  if (consumed_ < buffer_.size()) return;
  buffer_.clear();
  consumed_ = 0;
}

void Wire::start_read() {
  if (reading_ || ended_) return;
  reading_ = true;
  asio::co_spawn(stream_->executor(), read_once(shared_from_this()), asio::detached);
}

asio::awaitable<void> Wire::read_once(std::shared_ptr<Wire> self) {
  auto got = co_await self->stream_->read_some(self->incoming_);
  self->arrived(got);
}

void Wire::arrived(std::expected<size_t, Error> got) {
  reading_ = false;
  if (got) {
    if (consumed_ > 0) {
      // Not erase(): what it moves to the front would stand behind the end once more.
      auto rest = buffered();
      buffer_ = SecretBuffer(rest.begin(), rest.end());
      consumed_ = 0;
    }
    buffer_.insert(buffer_.end(), incoming_.begin(),
                   incoming_.begin() + static_cast<std::ptrdiff_t>(*got));
    wipe(incoming_.data(), *got);
    received_ += *got;
    if (on_gone_ && buffer_.size() < kMaxReadAheadBytes) start_read();
  } else if (!ended_) {
    ended_ = got.error();
  }
  read_timer_.cancel();
  if (ended_ && on_gone_) std::exchange(on_gone_, nullptr)();
}

asio::awaitable<Status> Wire::more(Time deadline) {
  const uint64_t before = received_;
  start_read();
  while (received_ == before && !ended_) {
    if (std::chrono::steady_clock::now() >= deadline) {
      close();
      ended_ = Error::deadline;
      break;
    }
    read_timer_.expires_at(deadline);
    co_await read_timer_.async_wait(kAsTuple);
  }
  if (received_ != before) co_return Status{};
  co_return std::unexpected(*ended_);
}

asio::awaitable<Status> Wire::write(Bytes bytes, Time deadline) {
  if (ended_) co_return std::unexpected(*ended_);
  auto self = shared_from_this();
  const uint64_t mine = ++writes_;
  write_timer_.expires_at(deadline);
  write_timer_.async_wait([self, mine](const boost::system::error_code& ec) {
    if (ec || self->writes_ != mine) return;
    self->write_late_ = true;
    self->close();
  });
  Status written = co_await stream_->write_all(bytes);
  ++writes_;
  write_timer_.cancel();
  if (written) co_return Status{};
  ended_ = write_late_ ? Error::deadline : written.error();
  co_return std::unexpected(*ended_);
}

void Wire::watch(std::function<void()> on_gone) {
  if (ended_) return on_gone();
  on_gone_ = std::move(on_gone);
  start_read();
}

asio::awaitable<void> Wire::linger() {
  unwatch();
  const uint64_t limit = received_ + kMaxLingerBytes;
  const Time deadline = std::chrono::steady_clock::now() + kLingerTime;
  stream_->close_write();
  while (received_ < limit) {
    consume(buffered().size());
    Status got = co_await more(deadline);
    if (!got) break;
  }
  close();
}

void Wire::close() {
  if (!ended_) ended_ = Error::closed;
  stream_->close();
  read_timer_.cancel();
}

asio::awaitable<Status> read_message(Wire& wire, Parser& parser, Time deadline, bool head_only) {
  while (true) {
    auto taken = parser.put(wire.buffered());
    if (!taken) co_return std::unexpected(taken.error());
    wire.consume(*taken);
    if (parser.done() || (head_only && parser.head_done())) co_return Status{};
    Status got = co_await wire.more(deadline);
    if (!got) {
      const bool cut =
          got.error() == Error::peer_gone && (parser.head_done() || !wire.buffered().empty());
      co_return std::unexpected(cut ? Error::truncated : got.error());
    }
  }
}

}  // namespace cloister::http
