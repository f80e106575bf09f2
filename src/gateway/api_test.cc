#include "gateway/api.h"

#include <gtest/gtest.h>

#include "http/client.h"
#include "http/http_testing.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr const char* kToken = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class ScriptedBackend final : public Backend {
 public:
  std::vector<std::string> pieces = {"Par", "is"};
  std::optional<ApiError> error;  // after the pieces
  size_t asked = 0;

  asio::awaitable<std::expected<inference::GenerateResult, ApiError>> ask(
      ChatRequest, std::string, OnPiece on_piece) override {
    ++asked;
    for (const auto& piece : pieces) {
      UserText text(piece);
      co_await on_piece(text);
    }
    if (error) co_return std::unexpected(*error);
    co_return inference::GenerateResult{9, 2, inference::FinishReason::stop};
  }
  std::vector<ModelEntry> models() const override {
    ModelEntry entry;
    entry.name = "small";
    entry.development = true;
    return {entry};
  }
  Health health() const override { return {"chain", 7, true, true, 1, 3, {}}; }
  std::vector<RefusedNode> refused_nodes() const override { return {{"ab", "debug_enabled", 1}}; }
  std::expected<std::string, ApiError> receipt(std::string_view id) const override {
    if (id == "rcpt-known") return R"({"trust":{}})";
    return std::unexpected(ApiError{ApiCode::receipt_not_found, "no such receipt", ""});
  }
  std::expected<std::string, ApiError> attestation_report() const override { return "{}"; }
};

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    server_ = std::make_unique<http::Server>(
        context_.executor(), http::ServerLimits{},
        [this](const http::Request& request, http::Exchange& exchange) -> asio::awaitable<void> {
          co_await handler_(request, exchange);
        });
    port_ = *server_->listen("127.0.0.1", 0);
    access_ = std::make_unique<Access>(kToken, port_);
    api_ = std::make_unique<Api>(ApiParts{backend_, *access_, clock_, random_, "test"});
    handler_ = api_->handler();
  }
  ~ApiTest() override { server_->stop(); }

  http::Response send(http::Request request, bool with_token = true) {
    if (with_token) {
      request.headers.push_back({"authorization", std::string("Bearer ") + kToken});
    }
    auto client = context_.await(
        http::Client::connect(context_.executor(), "127.0.0.1", port_, http::Millis(5000)));
    auto response = context_.await(client->request(std::move(request)));
    EXPECT_TRUE(response);
    return response ? std::move(*response) : http::Response{};
  }
  std::string code_of(const http::Response& response) {
    auto body = parse_json(response.text());
    return body ? std::string((*body)["error"]["code"].string().value_or("")) : "not JSON";
  }
  static http::Request chat(std::string_view more = "") {
    auto body =
        R"({"model":"small","messages":[{"role":"user","content":"hi"}])" + std::string(more) + "}";
    return http::make_request("POST", "/v1/chat/completions", body, "application/json");
  }

  ScriptedBackend backend_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Api> api_;
  http::Handler handler_;
  uint16_t port_ = 0;
  std::unique_ptr<http::Server> server_;
  http::TestContext context_;  // last: its threads end before what they use
};

TEST_F(ApiTest, WholeAnswersCarryTheReceiptId) {
  auto response = send(chat());
  EXPECT_EQ(response.status, 200u);
  auto body = parse_json(response.text());
  ASSERT_TRUE(body);
  EXPECT_EQ((*(*body)["choices"].array())[0]["message"]["content"].string(), "Paris");
  EXPECT_TRUE(response.header("x-cloister-receipt-id").starts_with("rcpt-"));
}

TEST_F(ApiTest, StreamsEndWithFinishUsageAndDone) {
  auto response = send(chat(R"(,"stream":true,"stream_options":{"include_usage":true})"));
  EXPECT_EQ(response.header("content-type"), "text/event-stream; charset=utf-8");
  std::string text(response.text());
  EXPECT_NE(text.find(R"("delta":{"role":"assistant")"), std::string::npos);
  EXPECT_LT(text.find(R"("content":"Par")"), text.find(R"("content":"is")"));
  EXPECT_LT(text.find(R"("finish_reason":"stop")"), text.find(R"("total_tokens":11)"));
  EXPECT_TRUE(text.ends_with("data: [DONE]\n\n"));
}

TEST_F(ApiTest, AFailureBeforeTheFirstPieceKeepsItsStatus) {
  backend_.pieces.clear();
  backend_.error = ApiError{ApiCode::attestation_failed, "no node passed", ""};
  auto response = send(chat(R"(,"stream":true)"));
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(code_of(response), "attestation_failed");
  EXPECT_EQ(response.header("x-should-retry"), "false");
}

TEST_F(ApiTest, AFailureInTheMiddleIsAnErrorFrameNeverASilentEnd) {
  backend_.error = ApiError{ApiCode::node_lost, "the node is gone", ""};
  auto response = send(chat(R"(,"stream":true)"));
  EXPECT_EQ(response.status, 200u);
  std::string text(response.text());
  EXPECT_NE(text.find(R"("code":"node_lost")"), std::string::npos);
  EXPECT_EQ(text.find("finish_reason\":\"stop"), std::string::npos);
}

TEST_F(ApiTest, EachForgeryIsRefusedBeforeAnyHandler) {
  struct Case {
    const char* name;
    http::Header header;
    bool with_token;
    unsigned status;
    const char* code;
  };
  const Case cases[] = {
      {"no token", {"x-nothing", "1"}, false, 401, "invalid_api_key"},
      {"wrong token", {"authorization", "Bearer 0"}, false, 401, "invalid_api_key"},
      {"basic", {"authorization", "Basic YTpi"}, false, 401, "invalid_api_key"},
      {"wrong cookie", {"cookie", "cloister_session=00"}, false, 401, "invalid_api_key"},
      {"foreign page", {"origin", "https://evil.example"}, true, 403, "forbidden_origin"},
      {"null origin", {"origin", "null"}, true, 403, "forbidden_origin"},
      {"other port", {"origin", "http://localhost:1"}, true, 403, "forbidden_origin"},
      {"cross site", {"sec-fetch-site", "cross-site"}, true, 403, "forbidden_origin"},
      {"same site", {"sec-fetch-site", "same-site"}, true, 403, "forbidden_origin"},
  };
  for (const Case& c : cases) {
    auto request = chat();
    request.headers.push_back(c.header);
    auto response = send(std::move(request), c.with_token);
    EXPECT_EQ(response.status, c.status) << c.name;
    EXPECT_EQ(code_of(response), c.code) << c.name;
  }
  EXPECT_EQ(backend_.asked, 0u);
}

TEST_F(ApiTest, ARebindingHostIsRefused) {
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1"}) {
    http::RawClient raw(port_);
    raw.send(std::string("GET /livez HTTP/1.1\r\nHost: ") + host + "\r\nConnection: close\r\n\r\n");
    EXPECT_NE(raw.read_to_end().find("403"), std::string::npos) << host;
  }
}

TEST_F(ApiTest, TheCookieOfALoginOpensThePagesRoutes) {
  EXPECT_EQ(send(http::make_request("POST", "/ui/login"), false).status, 401u);
  auto login = send(http::make_request("POST", "/ui/login"));
  ASSERT_EQ(login.status, 200u);
  std::string cookie(login.header("set-cookie"));
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(cookie.find(kToken), std::string::npos);
  auto request = http::make_request("GET", "/v1/models");
  request.headers.push_back({"cookie", cookie.substr(0, cookie.find(';'))});
  EXPECT_EQ(send(std::move(request), false).status, 200u);
}

TEST_F(ApiTest, PlainRoutes) {
  EXPECT_EQ(send(http::make_request("GET", "/livez"), false).status, 200u);
  auto health = send(http::make_request("GET", "/health"));
  EXPECT_NE(health.text().find("development: no hardware protection"), std::string_view::npos);
  EXPECT_NE(health.text().find("debug_enabled"), std::string_view::npos);
  EXPECT_EQ(send(http::make_request("GET", "/v1/models/small")).status, 200u);
  EXPECT_EQ(send(http::make_request("GET", "/v1/models/%73mal%6C")).status, 200u);
  for (const char* none : {"none", "smal%6", "small%", "small%zz", "small%00", "%2573mall"}) {
    SCOPED_TRACE(none);
    auto answer = send(http::make_request("GET", "/v1/models/" + std::string(none)));
    EXPECT_EQ(code_of(answer), "model_not_found");
  }
  EXPECT_EQ(send(http::make_request("GET", "/v1/receipts/rcpt-known")).status, 200u);
  EXPECT_EQ(code_of(send(http::make_request("GET", "/v1/receipts/x"))), "receipt_not_found");
  EXPECT_EQ(code_of(send(http::make_request("POST", "/v1/images"))), "unsupported_endpoint");
  auto models = parse_json(send(http::make_request("GET", "/v1/models")).text());
  EXPECT_EQ((*(*models)["data"].array())[0]["is_tee"].boolean(), false);
}

}  // namespace
}  // namespace cloister::gateway
