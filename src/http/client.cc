#include "http/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/wire.h"

namespace cloister::http {
namespace {

Time after(Millis timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

std::string host_field(const std::string& host, uint16_t port) {
  const bool bare_v6 = host.find(':') != std::string::npos && host.front() != '[';
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

struct Client::Impl {
  Impl(std::unique_ptr<Stream> stream, std::string h)
      : wire(std::make_shared<Wire>(std::move(stream))), host(std::move(h)) {}

  std::shared_ptr<Wire> wire;
  std::string host;
  std::optional<Parser> parser;  // of the answer that is being read
  bool idle = true;              // nothing is owed by either side
  bool spent = false;            // an error or "Connection: close"

  static asio::awaitable<std::expected<Response, Error>> begin(std::shared_ptr<Impl> self,
                                                               Request request, size_t max_body,
                                                               Time deadline);
  static asio::awaitable<std::expected<Response, Error>> whole(std::shared_ptr<Impl> self,
                                                               Request request, size_t max_body,
                                                               Time deadline);
  static asio::awaitable<std::expected<std::optional<SecretBuffer>, Error>> more(
      std::shared_ptr<Impl> self, Time deadline);

  Error fail(Error error) {
    spent = true;
    parser.reset();
    wire->close();
    return error;
  }
  // A server may not send more than it was asked for: such bytes would be read as the next answer.
  std::optional<Error> settle() {
    if (!parser->done()) return std::nullopt;
    if (!wire->buffered().empty()) return fail(Error::bad_message);
    idle = true;
    spent = spent || !parser->response_rules().keep_alive;
    parser.reset();
    return std::nullopt;
  }
};

asio::awaitable<std::expected<Response, Error>> Client::Impl::begin(std::shared_ptr<Impl> self,
                                                                    Request request,
                                                                    size_t max_body,
                                                                    Time deadline) {
  if (!self->idle || self->spent) co_return std::unexpected(Error::out_of_order);
  auto bytes = format_request_head(request, self->host);
  if (!bytes) co_return std::unexpected(bytes.error());
  bytes->insert(bytes->end(), request.body.begin(), request.body.end());
  self->idle = false;
  Status sent = co_await self->wire->write(*bytes, deadline);
  if (!sent) co_return std::unexpected(self->fail(sent.error()));
  self->parser.emplace(Parser::Kind::response, max_body);
  Status got = co_await read_message(*self->wire, *self->parser, deadline, true);
  if (!got) co_return std::unexpected(self->fail(got.error()));
  co_return self->parser->take_head();  // body bytes that came with it stay for `more`
}

asio::awaitable<std::expected<Response, Error>> Client::Impl::whole(std::shared_ptr<Impl> self,
                                                                    Request request,
                                                                    size_t max_body,
                                                                    Time deadline) {
  auto response = co_await begin(self, std::move(request), max_body, deadline);
  if (!response) co_return response;
  Status got = co_await read_message(*self->wire, *self->parser, deadline, false);
  if (!got) co_return std::unexpected(self->fail(got.error()));
  response->body = self->parser->take_body();
  if (auto wrong = self->settle()) co_return std::unexpected(*wrong);
  co_return response;
}

asio::awaitable<std::expected<std::optional<SecretBuffer>, Error>> Client::Impl::more(
    std::shared_ptr<Impl> self, Time deadline) {
  using Piece = std::optional<SecretBuffer>;
  if (!self->parser) {
    if (!self->spent || self->idle) co_return Piece();
    co_return std::unexpected(Error::closed);
  }
  while (true) {
    auto taken = self->parser->put(self->wire->buffered());
    if (!taken) co_return std::unexpected(self->fail(taken.error()));
    self->wire->consume(*taken);
    SecretBuffer body = self->parser->take_body();
    if (!body.empty()) co_return Piece(std::move(body));
    if (self->parser->done()) {
      if (auto wrong = self->settle()) co_return std::unexpected(*wrong);
      co_return Piece();
    }
    Status got = co_await self->wire->more(deadline);
    if (!got) {
      const Error error = got.error() == Error::peer_gone ? Error::truncated : got.error();
      co_return std::unexpected(self->fail(error));
    }
  }
}

Client::Client(std::unique_ptr<Stream> stream, std::string host)
    : impl_(std::make_shared<Impl>(std::move(stream), std::move(host))) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() {
  close();
}

Client& Client::operator=(Client&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

asio::awaitable<std::expected<Client, Error>> Client::connect(asio::any_io_executor executor,
                                                              std::string host, uint16_t port,
                                                              Millis timeout) {
  auto socket = co_await connect_tcp(executor, host, port, timeout);
  if (!socket) co_return std::unexpected(socket.error());
  co_return Client(tcp_stream(std::move(*socket)), host_field(host, port));
}

asio::awaitable<std::expected<Response, Error>> Client::request(Request request,
                                                                RequestOptions options) {
  auto executor = impl_->wire->executor();
  return asio::co_spawn(
      executor,
      Impl::whole(impl_, std::move(request), options.max_body_bytes, after(options.timeout)),
      asio::use_awaitable);
}

asio::awaitable<std::expected<Response, Error>> Client::start(Request request,
                                                              RequestOptions options) {
  auto executor = impl_->wire->executor();
  return asio::co_spawn(
      executor,
      Impl::begin(impl_, std::move(request), options.max_body_bytes, after(options.timeout)),
      asio::use_awaitable);
}

asio::awaitable<std::expected<std::optional<SecretBuffer>, Error>> Client::next(Millis timeout) {
  auto executor = impl_->wire->executor();
  return asio::co_spawn(executor, Impl::more(impl_, after(timeout)), asio::use_awaitable);
}

bool Client::reusable() const {
  return impl_ && impl_->idle && !impl_->spent;
}

void Client::close() {
  if (!impl_) return;
  asio::dispatch(impl_->wire->executor(), [impl = impl_] { impl->wire->close(); });
}

}  // namespace cloister::http
