#include "http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/client.h"
#include "http/http_testing.h"

namespace cloister::http {
namespace {

// A server with one handler; the context comes first so that it outlives the server's sockets.
struct TestServer {
  explicit TestServer(Handler handler, ServerLimits limits = {}, size_t threads = 1)
      : context(threads), server(context.executor(), limits, std::move(handler)) {
    port = server.listen("127.0.0.1", 0).value();
  }
  TestContext context;
  Server server;
  uint16_t port = 0;
};

asio::awaitable<void> echo(const Request& request, Exchange& exchange) {
  Response response = make_response(200, "text/plain", request.text());
  co_await exchange.send(std::move(response));
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// Waits for a condition that another thread makes true, without a fixed sleep.
template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Server, ServesManyRequestsOnOneConnection) {
  TestServer target(echo);
  auto client = target.context.await(
      Client::connect(target.context.executor(), "127.0.0.1", target.port, Millis(5000)));
  ASSERT_TRUE(client);
  for (const std::string body : {"", "a", "abc"}) {
    auto response = target.context.await(client->request(make_request("POST", "/x", body)));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200u);
    EXPECT_EQ(response->text(), body);
    EXPECT_TRUE(client->reusable());
  }
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer target(echo);
  RawClient client(target.port);
  client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\ntwo");
  const std::string all = client.read_to_end();
  EXPECT_LT(all.find("\r\n\r\none"), all.find("\r\n\r\ntwo"));
  EXPECT_NE(all.find("\r\n\r\ntwo"), std::string::npos);
}

TEST(Server, ExpectContinueIsAnsweredBeforeTheBody) {
  TestServer target(echo);
  RawClient client(target.port);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_NE(client.read_until("\r\n\r\nabc").find("200 OK"), std::string::npos);
}

TEST(Server, StreamsInChunks) {
  TestServer target([](const Request&, Exchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, Headers());
    constexpr std::string_view kPieces[] = {"one", "", "two"};
    for (std::string_view piece : kPieces) co_await exchange.write(as_bytes(piece));
    co_await exchange.finish();
  });
  RawClient client(target.port);
  client.send(kGet);
  const std::string all = client.read_until("0\r\n\r\n");
  EXPECT_NE(all.find("transfer-encoding: chunked"), std::string::npos);
  EXPECT_NE(all.find("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), std::string::npos);
}

TEST(Server, Http10ClientsGetAStreamThatEndsWithTheConnection) {
  TestServer target([](const Request&, Exchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, Headers());
    co_await exchange.write(as_bytes("one"));
    co_await exchange.finish();
  });
  RawClient client(target.port);
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("connection: close\r\n\r\none"));
}

TEST(Server, AStreamLeftUnfinishedIsCutNotEnded) {
  TestServer target([](const Request& request, Exchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, Headers());
    co_await exchange.write(as_bytes("part"));
    if (request.path == "/throw") throw std::runtime_error("handler");
  });
  for (const char* path : {"/return", "/throw"}) {
    SCOPED_TRACE(path);
    auto client = target.context.await(
        Client::connect(target.context.executor(), "127.0.0.1", target.port, Millis(5000)));
    ASSERT_TRUE(client);
    auto response = target.context.await(client->request(make_request("GET", path)));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error(), Error::truncated);
    EXPECT_FALSE(client->reusable());
  }
}

TEST(Server, AHandlerThatDoesNotAnswerMakesA500) {
  TestServer target([](const Request& request, Exchange&) -> asio::awaitable<void> {
    if (request.path == "/throw") throw std::runtime_error("secret of the handler");
    co_return;
  });
  for (const char* path : {"/return", "/throw"}) {
    SCOPED_TRACE(path);
    RawClient client(target.port);
    client.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string answer = client.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
    EXPECT_EQ(answer.find("secret"), std::string::npos);
  }
}

TEST(Server, AnswersOnceAndInOrder) {
  std::promise<std::vector<Status>> all;
  TestServer target([&](const Request&, Exchange& exchange) -> asio::awaitable<void> {
    std::vector<Status> results;
    results.push_back(co_await exchange.write(as_bytes("early")));
    results.push_back(co_await exchange.finish());
    Response first = make_response(200, "text/plain", "first");
    results.push_back(co_await exchange.send(std::move(first)));
    Response second = make_response(200, "text/plain", "second");
    results.push_back(co_await exchange.send(std::move(second)));
    results.push_back(co_await exchange.start_stream(200, Headers()));
    all.set_value(std::move(results));
  });
  RawClient client(target.port);
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\nfirst"));
  const std::vector<Status> results = all.get_future().get();
  ASSERT_EQ(results.size(), 5u);
  for (size_t i : {0u, 1u, 3u, 4u}) {
    ASSERT_FALSE(results[i]) << i;
    EXPECT_EQ(results[i].error(), Error::out_of_order) << i;
  }
  EXPECT_TRUE(results[2]);
}

TEST(Server, RefusesToWriteFieldsThatWouldSplitTheAnswer) {
  using namespace std::string_literals;
  const Header bad[] = {
      {"x", "a\r\nset-cookie: b"},
      {"x", "a\nb"},
      {"x", "a\rb"},
      {"x", "a\0b"s},
      {"x y", "a"},
      {"", "a"},
      {"x:", "a"},
      {"x\r\ny", "a"},
      {"Content-Length", "3"},
      {"transfer-encoding", "chunked"},
      {"Connection", "close"},
  };
  for (const Header& header : bad) {
    SCOPED_TRACE(header.name + "=" + header.value);
    auto head = format_response_head(200, {header}, Framing::sized, 0, true);
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error(), Error::bad_field);
    Request request = make_request("GET", "/");
    request.headers.push_back(header);
    EXPECT_FALSE(format_request_head(request, "x"));
  }
  EXPECT_TRUE(format_response_head(200, {{"x", "a b\tc"}}, Framing::sized, 0, true));
  EXPECT_FALSE(format_request_head(make_request("GET", "/a b"), "x"));
  EXPECT_FALSE(format_request_head(make_request("GET", "/"), "x\r\nA: b"));
}

TEST(Server, TellsTheHandlerThatTheClientLeft) {
  std::promise<Status> seen;
  TestServer target([&](const Request&, Exchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, Headers());
    asio::steady_timer until_gone(co_await asio::this_coro::executor, kTestPatience);
    exchange.on_gone([&] { until_gone.cancel(); });
    co_await until_gone.async_wait(asio::as_tuple(asio::use_awaitable));
    Status written = co_await exchange.write(as_bytes("into the void"));
    seen.set_value(written);
  });
  RawClient client(target.port);
  client.send(kGet);
  client.read_until("\r\n\r\n");
  const auto begin = std::chrono::steady_clock::now();
  client.close();
  auto result = seen.get_future();
  ASSERT_EQ(result.wait_for(kTestPatience), std::future_status::ready);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  const Status written = result.get();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), Error::peer_gone);
}

TEST(Server, DeadlinesCloseSilentClients) {
  ServerLimits limits;
  limits.idle_timeout = limits.head_timeout = limits.body_timeout = Millis(50);
  TestServer target(echo, limits);
  for (const char* begun :
       {"", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na"}) {
    SCOPED_TRACE(begun);
    RawClient client(target.port);
    client.send(begun);
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST(Server, AClientThatDoesNotReadIsCutAtTheWriteDeadline) {
  ServerLimits limits;
  limits.write_timeout = Millis(50);
  std::promise<Status> seen;
  TestServer target(
      [&](const Request&, Exchange& exchange) -> asio::awaitable<void> {
        Response response;
        response.body.resize(64 << 20);
        seen.set_value(co_await exchange.send(std::move(response)));
      },
      limits);
  RawClient client(target.port);
  client.send(kGet);
  auto result = seen.get_future();
  ASSERT_EQ(result.wait_for(kTestPatience), std::future_status::ready);
  const Status sent = result.get();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), Error::deadline);
}

TEST(Server, AUsedPortHasItsOwnErrorAndIsNamed) {
  TestServer first(echo);
  Server second(first.context.executor(), {}, echo);
  auto port = second.listen("127.0.0.1", first.port);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().error, Error::address_in_use);
  EXPECT_NE(describe(port.error()).find(std::to_string(first.port)), std::string::npos);
  auto nowhere = second.listen("192.0.2.1", 0);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().error, Error::address_refused);
}

TEST(Server, ConnectionsOverTheLimitAreClosed) {
  ServerLimits limits;
  limits.max_connections = 1;
  TestServer target(echo, limits);
  RawClient first(target.port);
  first.send(kGet);
  first.read_until("\r\n\r\n");
  RawClient second(target.port);
  EXPECT_EQ(second.read_to_end(), "");
  first.close();
  EXPECT_TRUE(eventually([&] { return target.server.connections() == 0; }));
}

TEST(Server, StopCutsOpenConnectionsAndFreesThePort) {
  TestServer target(echo);
  RawClient idle(target.port);
  idle.send(kGet);
  idle.read_until("\r\n\r\n");
  target.server.stop();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_TRUE(eventually([&] {
    Server next(target.context.executor(), {}, echo);
    return next.listen("127.0.0.1", target.port).has_value();
  }));
}

TEST(Server, DrainLetsAnAnswerFinishAndClosesAfterIt) {
  std::promise<void> entered;
  std::promise<void> drained;
  auto wait_for_drain = drained.get_future().share();
  TestServer target(
      [&](const Request&, Exchange& exchange) -> asio::awaitable<void> {
        entered.set_value();
        wait_for_drain.wait();
        Response response = make_response(200, "text/plain", "whole");
        co_await exchange.send(std::move(response));
      },
      {}, 2);
  RawClient client(target.port);
  client.send(kGet);
  entered.get_future().wait();
  target.server.drain();
  drained.set_value();
  const std::string answer = client.read_to_end();
  EXPECT_NE(answer.find("connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("whole"));
}

TEST(Server, ManyThreadsServeManyClients) {
  TestServer target(echo, {}, 3);
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      RawClient client(target.port);
      const std::string body = "from " + std::to_string(i);
      for (int n = 0; n < 20; ++n) {
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
        if (client.read_until("\r\n\r\n" + body).ends_with(body)) ++good;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 160);
}

}  // namespace
}  // namespace cloister::http
