// Blobs of a server somewhere. It is trusted with nothing: what it hands out is compared with the
// hash that its name is, and what breaks off is taken up again where it stood.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "blob/error.h"
#include "http/client.h"

namespace cloister::blob {

// "http://HOST:PORT/blob/{sha256}"
struct HttpAddress {
  std::string host;
  uint16_t port = 0;
  Hash32 sha256{};

  std::string uri() const;
  static Result<HttpAddress> parse(std::string_view uri);
};

constexpr size_t kMaxAttempts = 5;  // connections in a row that bring nothing

struct Transfer {
  http::Millis timeout{30'000};  // of `get`: for each step; of `put`: for each attempt as a whole
  uint64_t max_bytes = uint64_t{1} << 30;
};

// The address under which `content` is from now on.
boost::asio::awaitable<Result<HttpAddress>> put(std::string host, uint16_t port, Bytes content,
                                                Transfer options = {});

// Gets every byte in order, each once, however often the connection breaks. What it gets counts
// only when `get` has succeeded: the hash is that of the whole. False ends the transfer (refused).
// A connection that broke after the last byte is no fault: the hash decides.
using Sink = std::function<bool(Bytes)>;
boost::asio::awaitable<Result<uint64_t>> get(HttpAddress address, Sink sink, Transfer options = {});

}  // namespace cloister::blob
