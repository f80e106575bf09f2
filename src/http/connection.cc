#include "http/connection.h"

#include <fmt/format.h>

#include <boost/asio/use_awaitable.hpp>

namespace cloister::http {
namespace {

Time after(Millis timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

void append(SecretBuffer& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The status for what a client did wrong; nothing when there is nobody to tell.
std::optional<unsigned> status_for(Error error) {
  switch (error) {
    case Error::bad_message:
      return 400;
    case Error::head_too_large:
      return 431;
    case Error::body_too_large:
      return 413;
    case Error::method_refused:
      return 405;
    case Error::expectation_refused:
      return 417;
    default:
      return std::nullopt;
  }
}

bool has_no_body(unsigned status) {
  return status == 204 || status == 304;
}

}  // namespace

// --- Exchange
// ---------------------------------------------------------------------------------------

asio::awaitable<Status> Exchange::send(Response response) {
  if (state_ != State::unanswered) co_return std::unexpected(Error::out_of_order);
  const Framing framing = has_no_body(response.status) ? Framing::none : Framing::sized;
  if (connection_.draining()) keep_alive_ = false;
  auto bytes = format_response_head(response.status, response.headers, framing,
                                    response.body.size(), keep_alive_);
  if (!bytes) co_return std::unexpected(bytes.error());
  if (framing == Framing::sized) append(*bytes, response.body);
  Status written = co_await connection_.write(*bytes);
  state_ = written ? State::answered : State::failed;
  co_return written;
}

asio::awaitable<Status> Exchange::start_stream(unsigned status, Headers headers) {
  if (state_ != State::unanswered) co_return std::unexpected(Error::out_of_order);
  if (has_no_body(status)) co_return std::unexpected(Error::bad_field);
  if (connection_.draining() || !version_1_1_) keep_alive_ = false;
  auto head = format_response_head(
      status, headers, version_1_1_ ? Framing::chunked : Framing::until_close, 0, keep_alive_);
  if (!head) co_return std::unexpected(head.error());
  Status written = co_await connection_.write(*head);
  state_ = written ? State::streaming : State::failed;
  co_return written;
}

asio::awaitable<Status> Exchange::write(Bytes bytes) {
  if (state_ != State::streaming) co_return std::unexpected(Error::out_of_order);
  if (gone_) co_return std::unexpected(Error::peer_gone);
  if (bytes.empty()) co_return Status{};  // an empty chunk would end the body
  SecretBuffer out;
  if (version_1_1_) append(out, as_bytes(fmt::format("{:x}\r\n", bytes.size())));
  append(out, bytes);
  if (version_1_1_) append(out, as_bytes("\r\n"));
  Status written = co_await connection_.write(out);
  if (!written) state_ = State::failed;
  co_return written;
}

asio::awaitable<Status> Exchange::finish() {
  if (state_ != State::streaming) co_return std::unexpected(Error::out_of_order);
  Status written;
  if (version_1_1_) written = co_await connection_.write(as_bytes("0\r\n\r\n"));
  state_ = written ? State::answered : State::failed;
  co_return written;
}

void Exchange::on_gone(std::function<void()> callback) {
  if (gone_) return callback();
  on_gone_ = std::move(callback);
}

void Exchange::client_left() {
  gone_ = true;
  if (on_gone_) std::exchange(on_gone_, nullptr)();
}

// --- Connection
// -------------------------------------------------------------------------------------

asio::awaitable<Status> Connection::write(Bytes bytes) {
  return wire_->write(bytes, after(limits_.write_timeout));
}

asio::awaitable<void> Connection::run() {
  while (!draining()) {
    auto incoming = co_await read_request();
    if (!incoming) {
      co_await refuse(incoming.error());
      break;
    }
    const bool carry_on = co_await answer(std::move(*incoming));
    if (!carry_on) break;
  }
  if (!wire_->ended()) co_await wire_->linger();
  wire_->close();
}

asio::awaitable<std::expected<Connection::Incoming, Error>> Connection::read_request() {
  if (wire_->buffered().empty()) {
    Status begun = co_await wire_->more(after(limits_.idle_timeout));
    if (!begun) co_return std::unexpected(begun.error());
  }
  Parser parser(Parser::Kind::request, limits_.max_body_bytes);
  Status head = co_await read_message(*wire_, parser, after(limits_.head_timeout), true);
  if (!head) co_return std::unexpected(head.error());
  if (parser.request_rules().expects_continue && !parser.done() && wire_->buffered().empty()) {
    Status told = co_await write(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
    if (!told) co_return std::unexpected(told.error());
  }
  Status body = co_await read_message(*wire_, parser, after(limits_.body_timeout), false);
  if (!body) co_return std::unexpected(body.error());
  Incoming incoming{parser.take_request(), parser.request_rules()};
  incoming.request.peer = peer_;
  co_return incoming;
}

asio::awaitable<bool> Connection::answer(Incoming incoming) {
  Exchange exchange(*this, incoming.rules.version_1_1, incoming.rules.keep_alive);
  wire_->watch([&exchange] { exchange.client_left(); });
  co_await call_handler(incoming.request, exchange);
  wire_->unwatch();
  if (exchange.state_ == Exchange::State::unanswered) {
    co_await exchange.send(
        make_error(500, "server_error", "internal", "the request was not answered"));
  }
  if (exchange.state_ == Exchange::State::streaming) wire_->close();
  co_return exchange.state_ == Exchange::State::answered&& exchange.keep_alive_;
}

asio::awaitable<void> Connection::call_handler(const Request& request, Exchange& exchange) {
  try {
    co_await handler_(request, exchange);
  } catch (const std::exception&) {
    // What is missing of the answer tells the client: a 500, or a stream without its end.
  }
}

asio::awaitable<void> Connection::refuse(Error error) {
  const auto status = status_for(error);
  if (!status) co_return;
  const Response response =
      make_error(*status, "invalid_request_error", "bad_http", describe(error));
  auto bytes =
      format_response_head(*status, response.headers, Framing::sized, response.body.size(), false);
  if (!bytes) co_return;
  append(*bytes, response.body);
  co_await write(*bytes);
}

asio::awaitable<void> serve_wire(std::shared_ptr<Wire> wire, ServerLimits limits, Handler handler,
                                 std::string peer, const std::atomic<bool>* draining) {
  Connection connection(std::move(wire), limits, handler, std::move(peer), draining);
  co_await connection.run();
}

asio::awaitable<void> serve(std::unique_ptr<Stream> stream, ServerLimits limits, Handler handler,
                            std::string peer) {
  auto wire = std::make_shared<Wire>(std::move(stream));
  co_await serve_wire(std::move(wire), limits, std::move(handler), std::move(peer), nullptr);
}

}  // namespace cloister::http
