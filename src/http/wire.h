// A stream with a receive buffer and time limits. Private to this folder; lives on the stream's
// strand.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/secret.h"
#include "http/parser.h"
#include "http/stream.h"
#include "http/tcp.h"

namespace cloister::http {

using Time = std::chrono::steady_clock::time_point;

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  explicit Wire(std::unique_ptr<Stream> stream);

  asio::any_io_executor executor() { return stream_->executor(); }
  Bytes buffered() const { return Bytes(buffer_).subspan(consumed_); }
  void consume(size_t count);

  // Waits until more bytes have arrived. After an error the wire is closed or ended.
  asio::awaitable<Status> more(Time deadline);
  asio::awaitable<Status> write(Bytes bytes, Time deadline);

  // Reads ahead while a handler works, so that a peer that leaves is noticed at once: `on_gone` is
  // called once when it does. Bytes that arrive are kept for the next message, up to a limit.
  void watch(std::function<void()> on_gone);
  void unwatch() { on_gone_ = nullptr; }

  // Says goodbye in a way that lets the last answer arrive: closing with unread bytes would make
  // the kernel reset the connection. What still comes is thrown away unread, within limits, then
  // closed.
  asio::awaitable<void> linger();
  void close();
  std::optional<Error> ended() const { return ended_; }

 private:
  void start_read();
  void arrived(std::expected<size_t, Error> got);
  static asio::awaitable<void> read_once(std::shared_ptr<Wire> self);

  std::unique_ptr<Stream> stream_;
  SecretBuffer buffer_, incoming_;
  size_t consumed_ = 0;
  uint64_t received_ = 0;
  bool reading_ = false;
  std::optional<Error> ended_;
  uint64_t writes_ = 0;  // odd while a write is under way
  bool write_late_ = false;
  asio::steady_timer read_timer_, write_timer_;
  std::function<void()> on_gone_;
};

// Feeds `parser` from `wire` until its head, or all of it, is there.
asio::awaitable<Status> read_message(Wire& wire, Parser& parser, Time deadline, bool head_only);

}  // namespace cloister::http
