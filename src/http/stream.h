// A connected byte stream: what HTTP runs over. TCP here; attested TLS implements it too.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/bytes.h"
#include "http/error.h"

namespace cloister::http {

namespace asio = boost::asio;

// All calls are made on `executor`, which runs one handler at a time. At most one read and one
// write are under way at once. The stream outlives its calls.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual asio::any_io_executor executor() = 0;
  // At least one byte, or why there are none: peer_gone at the end of the stream, closed after
  // close().
  virtual asio::awaitable<std::expected<size_t, Error>> read_some(std::span<uint8_t> out) = 0;
  virtual asio::awaitable<Status> write_all(Bytes bytes) = 0;
  virtual void close_write() = 0;  // tells the peer that nothing more comes
  virtual void close() = 0;        // ends reads and writes under way
};

}  // namespace cloister::http
