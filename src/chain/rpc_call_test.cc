#include "chain/rpc_call.h"

#include <gtest/gtest.h>

namespace cloister::chain {
namespace {

http::Request get(std::string_view target) {
  return http::make_request("GET", target);
}

http::Request post(std::string_view body, std::string_view type = "application/json") {
  return http::make_request("POST", "/", body, type);
}

std::string call(std::string_view method, std::string_view params) {
  return "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" + std::string(method) +
         "\",\"params\":" + std::string(params) + "}";
}

TEST(RpcCall, ReadsBothSpellings) {
  const auto bare = read_call(get("/commit?height=7"));
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->method, RpcMethod::commit);
  EXPECT_EQ(bare->get<int64_t>("height"), 7);
  EXPECT_EQ(read_call(get("/commit?height=%227%22"))->get<int64_t>("height"), 7);
  EXPECT_EQ(read_call(get("/commit"))->get<int64_t>("height"), std::nullopt);
  const auto query =
      read_call(get("/abci_query?path=%22/store/jobs%22&data=0x0aFF&height=3&prove=true"));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->get<std::string>("path"), "/store/jobs");
  EXPECT_EQ(query->get<Buffer>("data"), (Buffer{0x0a, 0xff}));
  EXPECT_EQ(query->get<bool>("prove"), true);

  EXPECT_EQ(read_call(post(call("commit", "{\"height\":\"7\"}")))->get<int64_t>("height"), 7);
  EXPECT_EQ(read_call(post(call("commit", "{\"height\":7}")))->get<int64_t>("height"), 7);
  EXPECT_TRUE(read_call(post(call("status", "{}"))));
  EXPECT_TRUE(read_call(post(call("status", "null"))));
  const auto tx = read_call(post(call("broadcast_tx_sync", "{\"tx\":\"AQI=\"}")));
  ASSERT_TRUE(tx);
  EXPECT_EQ(tx->get<Buffer>("tx"), (Buffer{1, 2}));
}

TEST(RpcCall, HostileRequestsAreRefusedByTheirOwnCode) {
  struct Case {
    const char* name;
    http::Request request;
    RpcCode want;
  };
  const Case cases[] = {
      {"unknown path", get("/nothing"), RpcCode::method_not_found},
      {"root", get("/"), RpcCode::method_not_found},
      {"path below", get("/commit/"), RpcCode::method_not_found},
      {"unknown argument", get("/commit?hight=1"), RpcCode::invalid_params},
      {"no value", get("/commit?height"), RpcCode::invalid_params},
      {"empty value", get("/commit?height="), RpcCode::invalid_params},
      {"twice", get("/commit?height=1&height=1"), RpcCode::invalid_params},
      {"not a number", get("/commit?height=x"), RpcCode::invalid_params},
      {"leading zero", get("/commit?height=01"), RpcCode::invalid_params},
      {"too large", get("/commit?height=9223372036854775808"), RpcCode::invalid_params},
      {"plus", get("/commit?height=+1"), RpcCode::invalid_params},
      {"bad percent", get("/commit?height=%2"), RpcCode::invalid_params},
      {"bad percent digits", get("/commit?height=%zz"), RpcCode::invalid_params},
      {"half a quote", get("/commit?height=%22"), RpcCode::invalid_params},
      {"hex without 0x", get("/abci_query?data=0a"), RpcCode::invalid_params},
      {"odd hex", get("/abci_query?data=0x0"), RpcCode::invalid_params},
      {"bare text", get("/abci_query?path=/store/jobs"), RpcCode::invalid_params},
      {"boolean as number", get("/abci_query?prove=1"), RpcCode::invalid_params},
      {"transaction by GET", get("/broadcast_tx_sync?tx=0x00"), RpcCode::invalid_request},
      {"other method", http::make_request("DELETE", "/commit"), RpcCode::invalid_request},
      {"post elsewhere", http::make_request("POST", "/x", "{}", "application/json"),
       RpcCode::invalid_request},
      {"post with a query", http::make_request("POST", "/?a=b", "{}", "application/json"),
       RpcCode::invalid_request},
      {"form", post(call("status", "{}"), "text/plain"), RpcCode::invalid_request},
      {"no type", http::make_request("POST", "/", call("status", "{}")), RpcCode::invalid_request},
      {"empty body", post(""), RpcCode::parse_error},
      {"not JSON", post("{"), RpcCode::parse_error},
      {"trailing", post(call("status", "{}") + "x"), RpcCode::parse_error},
      {"duplicate key", post("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"status\"}"),
       RpcCode::parse_error},
      {"too many values", post("[" + std::string(300, '[') + "]"), RpcCode::parse_error},
      {"batch", post("[" + call("status", "{}") + "]"), RpcCode::invalid_request},
      {"notification", post("{\"jsonrpc\":\"2.0\",\"method\":\"status\"}"),
       RpcCode::invalid_request},
      {"null id", post("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"status\"}"),
       RpcCode::invalid_request},
      {"huge id",
       post("{\"jsonrpc\":\"2.0\",\"id\":\"" + std::string(65, 'x') + "\",\"method\":\"status\"}"),
       RpcCode::invalid_request},
      {"old protocol", post("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}"),
       RpcCode::invalid_request},
      {"no method", post("{\"jsonrpc\":\"2.0\",\"id\":1}"), RpcCode::method_not_found},
      {"method of another kind", post("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":{}}"),
       RpcCode::method_not_found},
      {"unknown method", post(call("unsafe_flush_mempool", "{}")), RpcCode::method_not_found},
      {"positions", post(call("commit", "[\"1\"]")), RpcCode::invalid_params},
      {"unknown name", post(call("commit", "{\"x\":1}")), RpcCode::invalid_params},
      {"fraction", post(call("commit", "{\"height\":1.5}")), RpcCode::invalid_params},
      {"array", post(call("commit", "{\"height\":[]}")), RpcCode::invalid_params},
      {"bad base64", post(call("broadcast_tx_sync", "{\"tx\":\"A\"}")), RpcCode::invalid_params},
      {"bad hex", post(call("abci_query", "{\"data\":\"zz\"}")), RpcCode::invalid_params},
      {"long path", post(call("abci_query", "{\"path\":\"" + std::string(257, 'x') + "\"}")),
       RpcCode::invalid_params},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = read_call(c.request);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, c.want);
    const auto answer = parse_json(fault_json(-1, got.error()));
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)["error"]["code"].i64(), static_cast<int64_t>(c.want));
  }
}

TEST(RpcCall, PagesOfNamedSitesMayAskAndReadTheAnswer) {
  http::Request request = get("/status");
  request.headers = {
      {"Host", "localhost"}, {"Origin", "https://page.example"}, {"Sec-Fetch-Site", "cross-site"}};
  const std::vector<std::string> named = {"https://page.example"},
                                 other = {"https://page.example:1"}, any = {"*"};
  EXPECT_TRUE(from_allowed_site(request, {}, named));
  EXPECT_TRUE(from_allowed_site(request, {}, any));
  EXPECT_FALSE(from_allowed_site(request, {}, other));
  EXPECT_FALSE(from_allowed_site(request, {}));
  http::Response response;
  allow_reading(request, response);
  EXPECT_EQ(response.header("access-control-allow-origin"), "https://page.example");
  EXPECT_EQ(answer_preflight(request).header("access-control-allow-headers"), "content-type");
  request.headers[0].value = "evil.example";  // rebound DNS is refused whatever the page
  EXPECT_FALSE(from_allowed_site(request, {}, any));
}

TEST(RpcCall, OtherSitesAreRefused) {
  const std::vector<std::string> hosts = {"ledger.example"};
  const auto allowed = [&](std::vector<http::Header> headers) {
    http::Request request = get("/status");
    request.headers = std::move(headers);
    return from_allowed_site(request, hosts);
  };
  EXPECT_TRUE(allowed({{"Host", "127.0.0.1:26657"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost"}}));
  EXPECT_TRUE(allowed({{"Host", "LOCALHOST:1"}}));
  EXPECT_TRUE(allowed({{"Host", "[::1]:26657"}}));
  EXPECT_TRUE(allowed({{"Host", "ledger.example:443"}}));
  EXPECT_FALSE(allowed({}));
  EXPECT_FALSE(allowed({{"Host", ""}}));
  EXPECT_FALSE(allowed({{"Host", "evil.example"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost.evil.example"}}));
  EXPECT_FALSE(allowed({{"Host", "127.0.0.1.evil.example:80"}}));
  EXPECT_FALSE(allowed({{"Host", "[::1"}}));
  EXPECT_FALSE(allowed({{"Host", "10.0.0.1"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost"}, {"Origin", "http://localhost:8080"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost"}, {"Origin", "https://ledger.example"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Origin", "https://evil.example"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Origin", "null"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Origin", "file://localhost"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Origin", "http://localhost.evil.example"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost"}, {"Sec-Fetch-Site", "none"}}));
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}}));
}

}  // namespace
}  // namespace cloister::chain
