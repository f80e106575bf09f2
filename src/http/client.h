// An HTTP/1.1 client: one connection, one request at a time. As strict about responses as the
// server is about requests: a response without a length or chunks, with two lengths, with folded
// lines or trailers is an error, and after any error the connection is closed.
//
// May be used from any coroutine; the work happens on the connection's own strand.
#pragma once

#include <optional>

#include "http/message.h"
#include "http/tcp.h"

namespace cloister::http {

struct RequestOptions {
  Millis timeout{30'000};  // to the end of `request`, or to the head in `start`
  size_t max_body_bytes = 16 << 20;
};

class Client {
 public:
  static asio::awaitable<std::expected<Client, Error>> connect(asio::any_io_executor executor,
                                                               std::string host, uint16_t port,
                                                               Millis timeout);
  // Over a stream that stands already. `host` goes into the Host field.
  Client(std::unique_ptr<Stream> stream, std::string host);
  ~Client();  // closes the connection
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // `request.headers` may not hold the fields that the framing writes (Error::bad_field).
  asio::awaitable<std::expected<Response, Error>> request(Request request,
                                                          RequestOptions options = {});

  // A streamed answer: `start` gives the head (with no body), then `next` gives the body as it
  // comes and nothing at its proper end. A body that was cut is Error::truncated, never an end.
  asio::awaitable<std::expected<Response, Error>> start(Request request,
                                                        RequestOptions options = {});
  asio::awaitable<std::expected<std::optional<SecretBuffer>, Error>> next(Millis timeout);

  bool reusable() const;  // the last answer was read whole and the server keeps the connection
  void close();           // from any thread; what is under way ends with an error

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cloister::http
