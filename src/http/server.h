// An HTTP/1.1 server. Admits what strict.h admits; everything else is answered with an error and
// the connection is closed, with nothing more parsed from it.
//
// Each connection has a strand: its handler, its Exchange and the callbacks of both run there, so
// they need no locks among themselves. Requests of one connection are handled one after the other.
#pragma once

#include <functional>

#include "http/message.h"
#include "http/tcp.h"

namespace cloister::http {

struct ServerLimits {
  size_t max_body_bytes = 16 << 20;
  size_t max_connections = 1024;  // further ones are closed unanswered
  Millis idle_timeout{75'000};    // until a request begins
  Millis head_timeout{10'000};    // from its first byte to the end of its head
  Millis body_timeout{60'000};
  Millis write_timeout{30'000};  // for each write
};

class Connection;  // private to the server

// One request on its way to being answered.
class Exchange {
 public:
  // The whole answer. Error::out_of_order after another answer, Error::bad_field when a field may
  // not be written (nothing was sent then).
  asio::awaitable<Status> send(Response response);

  // A streamed answer: start_stream, write as often as needed, finish. Without finish the
  // connection is cut, so that the client cannot take a part for the whole. HTTP/1.0 clients get a
  // body that ends with the connection. (g++ 12 cannot compile a braced list of fields inside a
  // co_await: name it.)
  asio::awaitable<Status> start_stream(unsigned status, Headers headers);
  asio::awaitable<Status> write(Bytes bytes);
  asio::awaitable<Status> finish();

  bool started() const { return state_ != State::unanswered; }
  bool gone() const { return gone_; }  // the client has left
  // Called once on the connection's strand when the client leaves before the answer is complete;
  // at once when it has left already. For cancelling work.
  void on_gone(std::function<void()> callback);

 private:
  friend class Connection;
  enum class State { unanswered, streaming, answered, failed };
  Exchange(Connection& connection, bool version_1_1, bool keep_alive)
      : connection_(connection), version_1_1_(version_1_1), keep_alive_(keep_alive) {}
  void client_left();

  Connection& connection_;
  bool version_1_1_;
  bool keep_alive_;
  bool gone_ = false;
  State state_ = State::unanswered;
  std::function<void()> on_gone_;
};

// May suspend for as long as the answer takes. A handler that returns without an answer, or throws
// before one, makes a 500.
using Handler = std::function<asio::awaitable<void>(const Request&, Exchange&)>;

// Serves requests on one stream until it ends, an error, or `Connection: close`.
asio::awaitable<void> serve(std::unique_ptr<Stream> stream, ServerLimits limits, Handler handler,
                            std::string peer = {});

// Turns a new TCP connection into the stream that HTTP runs on, for instance through a TLS
// handshake; null when it failed. It keeps to a time limit of its own.
using Upgrade = std::function<asio::awaitable<std::unique_ptr<Stream>>(asio::ip::tcp::socket)>;

struct ListenError {
  Error error;
  std::string address;  // "127.0.0.1:8080"
};
std::string describe(const ListenError& error);  // names the address

class Server {
 public:
  // Without `upgrade`, HTTP runs on TCP.
  Server(asio::any_io_executor executor, ServerLimits limits, Handler handler,
         Upgrade upgrade = {});
  ~Server();  // as stop()

  // Listens on a numeric address; port 0 picks a free one. The port on success. May be called for
  // several addresses.
  std::expected<uint16_t, ListenError> listen(const std::string& address, uint16_t port);

  // From any thread. No new connections, no further requests on old ones; answers under way finish.
  void drain();
  void stop();  // drains and cuts all connections
  size_t connections() const;

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace cloister::http
