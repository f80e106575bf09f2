#include "http/parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace cloister::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string text_of(string_view text) {
  return {text.data(), text.size()};
}

// What both kinds of message collect. Errors are ours; Beast only needs to hear that it must stop.
struct Collected {
  unsigned status = 0;
  std::string method, target;
  Headers headers;
  SecretBuffer body;
  bool head_done = false;

  void field(string_view name, string_view value, error_code& ec) {
    if (head_done) {
      ec = beast_http::error::bad_field;  // a trailer
      return;
    }
    headers.push_back({text_of(name), text_of(value)});
  }
  void append(string_view bytes) { body.insert(body.end(), bytes.begin(), bytes.end()); }
};

template <bool is_request>
class BeastParser final : public beast_http::basic_parser<is_request> {
 public:
  explicit BeastParser(Collected& out) : out_(out) {}

 private:
  void on_request_impl(beast_http::verb, string_view method, string_view target, int,
                       error_code&) override {
    out_.method = text_of(method);
    out_.target = text_of(target);
  }
  void on_response_impl(int status, string_view, int, error_code&) override {
    out_.status = static_cast<unsigned>(status);
  }
  void on_field_impl(beast_http::field, string_view name, string_view value,
                     error_code& ec) override {
    out_.field(name, value, ec);
  }
  void on_header_impl(error_code&) override { out_.head_done = true; }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(string_view bytes, error_code&) override {
    out_.append(bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(uint64_t, string_view extensions, error_code& ec) override {
    if (!extensions.empty()) ec = beast_http::error::bad_chunk_extension;
  }
  size_t on_chunk_body_impl(uint64_t, string_view bytes, error_code&) override {
    out_.append(bytes);
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  Collected& out_;
};

Error error_of(const error_code& ec) {
  if (ec == beast_http::error::body_limit) return Error::body_too_large;
  if (ec == beast_http::error::header_limit) return Error::head_too_large;
  return Error::bad_message;
}

}  // namespace

struct Parser::Impl {
  Impl(Kind k, size_t max_body) : kind(k), max_body_bytes(max_body) {}

  Kind kind;
  size_t max_body_bytes;
  size_t scanned = 0;
  Collected collected;
  BeastParser<true> request{collected};
  BeastParser<false> response{collected};
  RequestRules request_rules;
  ResponseRules response_rules;

  bool done() const { return kind == Kind::request ? request.is_done() : response.is_done(); }

  Status check_head(std::string_view head) {
    if (kind == Kind::request) {
      auto rules = strict_request(head);
      if (!rules) return std::unexpected(rules.error());
      request_rules = *rules;
      if (rules->body_bytes > max_body_bytes) return std::unexpected(Error::body_too_large);
    } else {
      auto rules = strict_response(head);
      if (!rules) return std::unexpected(rules.error());
      response_rules = *rules;
      if (!rules->has_body) response.skip(true);
    }
    return {};
  }

  template <bool is_request>
  std::expected<size_t, Error> feed(BeastParser<is_request>& parser, Bytes bytes) {
    parser.eager(true);
    parser.header_limit(kMaxHeadBytes + 2);
    parser.body_limit(max_body_bytes);
    size_t taken = 0;
    while (!parser.is_done() && taken < bytes.size()) {
      error_code ec;
      const Bytes rest = bytes.subspan(taken);
      const size_t step = parser.put(boost::asio::buffer(rest.data(), rest.size()), ec);
      taken += step;
      if (ec == beast_http::error::need_more) {
        if (bytes.size() - taken > kMaxChunkLineBytes) return std::unexpected(Error::bad_message);
        break;
      }
      if (ec) return std::unexpected(error_of(ec));
    }
    return taken;
  }
};

Parser::Parser(Kind kind, size_t max_body_bytes)
    : impl_(std::make_unique<Impl>(kind, max_body_bytes)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;

std::expected<size_t, Error> Parser::put(Bytes arrived) {
  if (!impl_->collected.head_done) {
    auto head = find_head_end(as_text(arrived), impl_->scanned);
    if (!head) return std::unexpected(head.error());
    if (!head->has_value()) return 0;
    auto held = impl_->check_head(as_text(arrived.first(**head)));
    if (!held) return std::unexpected(held.error());
  }
  return impl_->kind == Kind::request ? impl_->feed(impl_->request, arrived)
                                      : impl_->feed(impl_->response, arrived);
}

bool Parser::head_done() const {
  return impl_->collected.head_done;
}
bool Parser::done() const {
  return impl_->done();
}
const RequestRules& Parser::request_rules() const {
  return impl_->request_rules;
}
const ResponseRules& Parser::response_rules() const {
  return impl_->response_rules;
}

Request Parser::take_request() {
  Request request = make_request(impl_->collected.method, impl_->collected.target);
  request.headers = std::move(impl_->collected.headers);
  request.body = take_body();
  return request;
}

Response Parser::take_head() {
  Response response;
  response.status = impl_->collected.status;
  response.headers = std::move(impl_->collected.headers);
  return response;
}

SecretBuffer Parser::take_body() {
  return std::exchange(impl_->collected.body, {});
}

}  // namespace cloister::http
