#include "http/client.h"

#include <gtest/gtest.h>

#include "http/http_testing.h"

namespace cloister::http {
namespace {

std::expected<Response, Error> fetch(TestContext& context, const std::string& answer,
                                     RequestOptions options = {}) {
  RawServer server(answer);
  auto client =
      context.await(Client::connect(context.executor(), "127.0.0.1", server.port(), Millis(5000)));
  if (!client) return std::unexpected(client.error());
  return context.await(client->request(make_request("GET", "/"), options));
}

TEST(Client, RefusesWhatAStrictReaderRefuses) {
  struct Case {
    const char* name;
    std::string answer;
    Error want;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const Case cases[] = {
      {"no framing", ok + "\r\nabc", Error::bad_message},
      {"length and chunks", ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
       Error::bad_message},
      {"chunk extension", ok + "Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n",
       Error::bad_message},
      {"trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", Error::bad_message},
      {"folded", ok + "Content-Length: 3\r\nA: b\r\n c\r\n\r\nabc", Error::bad_message},
      {"continue", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n",
       Error::bad_message},
      {"more than was asked for", ok + "Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n",
       Error::bad_message},
      {"cut body", ok + "Content-Length: 5\r\n\r\nabc", Error::truncated},
      {"cut chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Error::truncated},
      {"cut head", ok + "Content-Le", Error::truncated},
      {"nothing", "", Error::peer_gone},
      {"body over the limit", ok + "Content-Length: 9\r\n\r\nabcdefghi", Error::bad_message},
      {"chunks over the limit",
       ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\n0\r\n\r\n", Error::body_too_large},
      {"long head", ok + "A: " + std::string(20'000, 'a') + "\r\n\r\n", Error::head_too_large},
  };
  TestContext context;
  RequestOptions options;
  options.max_body_bytes = 8;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto response = fetch(context, c.answer, options);
    ASSERT_FALSE(response);
    const bool over = std::string_view(c.name) == "body over the limit";
    EXPECT_EQ(response.error(), over ? Error::body_too_large : c.want);
  }
  auto good = fetch(context, ok + "Content-Length: 8\r\n\r\nabcdefgh", options);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->text(), "abcdefgh");
}

TEST(Client, ReadsAStreamPieceByPiece) {
  TestContext context;
  RawServer server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  auto client =
      context.await(Client::connect(context.executor(), "127.0.0.1", server.port(), Millis(5000)));
  ASSERT_TRUE(client);
  auto head = context.await(client->start(make_request("GET", "/")));
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->body.empty());
  EXPECT_FALSE(client->reusable());
  std::string all;
  while (true) {
    auto piece = context.await(client->next(Millis(5000)));
    ASSERT_TRUE(piece);
    if (!*piece) break;
    all += as_text(**piece);
  }
  EXPECT_EQ(all, "onetwo");
  EXPECT_TRUE(client->reusable());
}

TEST(Client, ACutStreamIsAnErrorAndStaysOne) {
  TestContext context;
  RawServer server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  auto client =
      context.await(Client::connect(context.executor(), "127.0.0.1", server.port(), Millis(5000)));
  ASSERT_TRUE(client);
  ASSERT_TRUE(context.await(client->start(make_request("GET", "/"))));
  auto piece = context.await(client->next(Millis(5000)));
  ASSERT_TRUE(piece && *piece);
  auto cut = context.await(client->next(Millis(5000)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error(), Error::truncated);
  EXPECT_FALSE(context.await(client->next(Millis(5000))));
  EXPECT_FALSE(client->reusable());
}

TEST(Client, ADeadlineClosesTheConnection) {
  TestContext context;
  const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
  asio::ip::tcp::acceptor silent(context.executor(), loopback);  // the kernel accepts, nobody reads
  auto client = context.await(Client::connect(context.executor(), "127.0.0.1",
                                              silent.local_endpoint().port(), Millis(5000)));
  ASSERT_TRUE(client);
  RequestOptions options;
  options.timeout = Millis(50);
  auto late = context.await(client->request(make_request("GET", "/"), options));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), Error::deadline);
  EXPECT_FALSE(client->reusable());
}

TEST(Client, NamesWhyItCouldNotConnect) {
  TestContext context;
  uint16_t free_port = 0;
  {
    free_port = RawServer("").port();
  }
  auto refused =
      context.await(Client::connect(context.executor(), "127.0.0.1", free_port, Millis(5000)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error::connect_failed);
}

}  // namespace
}  // namespace cloister::http
