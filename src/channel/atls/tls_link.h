// A TLS connection before it is attested: handshake and frames under one deadline. Private to this
// folder.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "channel/atls/frames.h"
#include "channel/atls/tls_context.h"
#include "http/stream.h"

namespace cloister::atls {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

struct Frame {
  FrameType type;
  Buffer body;
};

// Lives on its socket's strand.
class TlsLink : public std::enable_shared_from_this<TlsLink> {
 public:
  TlsLink(asio::ip::tcp::socket socket, std::shared_ptr<SslContext> context);

  TlsWatch& watch() { return watch_; }
  SSL* ssl() { return stream_.native_handle(); }
  asio::ssl::stream<asio::ip::tcp::socket>& stream() { return stream_; }

  // Past `timeout` the socket is closed and every call gives Error deadline, until `disarm`.
  void arm(Millis timeout);
  void disarm();
  void close();
  bool late() const { return late_; }

  asio::awaitable<Result<void>> handshake(bool as_client);
  // The next frame, which must have this type. ERROR from the peer becomes its peer_said_… value.
  asio::awaitable<Result<Buffer>> expect_frame(FrameType type);
  asio::awaitable<Result<Frame>> read_frame();
  asio::awaitable<Result<void>> write_frame(FrameType type, Bytes body);

  // What a failed operation means, by what is known: the deadline, a ticket, the leaf, the peer.
  AtlsError cause(const boost::system::error_code& ec) const;

 private:
  asio::awaitable<Result<void>> read_exactly(std::span<uint8_t> out);

  std::shared_ptr<SslContext> context_;
  TlsWatch watch_;  // outlives stream_, whose SSL object points to it
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  asio::steady_timer timer_;
  bool armed_ = false;
  bool late_ = false;
};

}  // namespace cloister::atls
