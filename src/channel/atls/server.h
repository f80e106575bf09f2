// The server's half of ATLS/1: proves, on each connection, that this instance's measured program is
// at its end, and hands out the stream once the client has accepted that.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "channel/atls/connection.h"
#include "channel/atls/leaf.h"

namespace cloister::atls {

// The machine as far as it vouches for this program. Only the measured program may reach it: who
// can choose report data can pass any connection off as the TEE's.
class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  // Evidence whose report data is `report_data`, or quote_failed. Called on the connection's
  // strand; an implementation that blocks moves its work to a thread of its own.
  virtual http::asio::awaitable<Result<std::vector<evidence::Evidence>>> quote(
      Fixed<64> report_data) = 0;
  virtual Buffer claims() = 0;  // CBOR (30-channels, section 1), hashed into the report data
};

struct AcceptOptions {
  Hash32 instance_id{};
  std::chrono::milliseconds timeout{20'000};  // for everything up to DONE
};

class Acceptor {
 public:
  Acceptor(const Leaf& leaf, std::shared_ptr<EvidenceSource> source, AcceptOptions options);
  ~Acceptor();

  // `socket` is connected and on a strand (http::Server and http::connect_tcp make such). From any
  // coroutine; the Acceptor may go away while connections are being made.
  http::asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> accept(
      http::asio::ip::tcp::socket socket);

  // A new certificate around the same key, for connections from now on.
  void renew(const Leaf& leaf);

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace cloister::atls
