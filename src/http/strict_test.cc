#include "http/strict.h"

#include <gtest/gtest.h>

#include "http/http_testing.h"
#include "http/server.h"

namespace cloister::http {
namespace {

// Answers 200 with the path and size of the body to everything, and counts.
struct CountingServer {
  explicit CountingServer(ServerLimits limits = {})
      : server(context.executor(), limits, handler()) {
    port = server.listen("127.0.0.1", 0).value();
  }
  Handler handler() {
    return [this](const Request& request, Exchange& exchange) -> asio::awaitable<void> {
      ++served;
      const std::string text = request.path + " " + std::to_string(request.body.size());
      Response response = make_response(200, "text/plain", text);
      co_await exchange.send(std::move(response));
    };
  }
  TestContext context;
  std::atomic<int> served = 0;
  Server server;
  uint16_t port = 0;
};

constexpr std::string_view kSecond = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n";

struct Case {
  const char* name;
  std::string bytes;
  const char* status = "400";
};

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Case> refused_cases() {
  using namespace std::string_literals;
  return {
      // Two readings of where the body ends.
      {"length and chunks",
       post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"chunks and length",
       post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"two lengths", post("Content-Length: 3\r\nContent-Length: 5\r\n", "abcde")},
      {"same length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
      {"list of lengths", post("Content-Length: 3, 3\r\n", "abc")},
      {"signed length", post("Content-Length: +3\r\n", "abc")},
      {"negative length", post("Content-Length: -3\r\n", "abc")},
      {"hex length", post("Content-Length: 0x3\r\n", "abc")},
      {"length with leading zero", post("Content-Length: 03\r\n", "abc")},
      {"empty length", post("Content-Length: \r\n", "abc")},
      {"length past 64 bits", post("Content-Length: 18446744073709551619\r\n", "abc")},
      {"chunks on 1.0",
       "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"chunked in two fields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"chunked then identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"identity then chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n")},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"xchunked and length", post("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n", "abc")},
      {"gzip alone", post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n")},
      {"folded encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
      {"vertical tab in encoding", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")},
      {"space before colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"body on GET", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
      {"chunks on GET", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      // Chunks.
      {"chunk extension", chunked("3;a=b\r\nabc\r\n0\r\n\r\n")},
      {"LF in a quoted chunk extension", chunked("3;a=\"\n\"\r\nabc\r\n0\r\n\r\n")},
      {"hex prefix in chunk size", chunked("0x3\r\nabc\r\n0\r\n\r\n")},
      {"LF after chunk size", chunked("3\nabc\r\n0\r\n\r\n")},
      {"chunk size past 64 bits", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")},
      {"chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n")},
      {"no size at all", chunked("\r\nabc\r\n0\r\n\r\n")},
      {"trailer", chunked("0\r\nX-Late: 1\r\n\r\n")},
      {"length in trailer", chunked("0\r\nContent-Length: 5\r\n\r\n")},
      {"chunk size line without end", chunked(std::string(200, '0'))},
      // Lines and characters.
      {"bare LF", "GET / HTTP/1.1\nHost: x\n\n"},
      {"one bare LF", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"},
      {"bare CR", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"},
      {"NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"s},
      {"control character in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n"},
      {"leading empty line", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"folded value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"},
      {"field without colon", "GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n"},
      {"empty field name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"},
      {"bracket in field name", "GET / HTTP/1.1\r\nHost: x\r\nA(: b\r\n\r\n"},
      // Identity of the request.
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},
      {"empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
      {"host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"},
      {"two authorizations",
       "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"},
      {"two content types", post("Content-Type: a\r\nContent-Type: b\r\nContent-Length: 0\r\n")},
      // The request line.
      {"version 1.9", "GET / HTTP/1.9\r\nHost: x\r\n\r\n"},
      {"version 2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n"},
      {"no version", "GET /\r\nHost: x\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"absolute target", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"fragment in target", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"high byte in target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"TLS record", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
      // Refusals with a status of their own.
      {"other method", "PUT / HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
      {"CONNECT", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
      {"lower case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
      {"other expectation", post("Expect: 200-maybe\r\nContent-Length: 0\r\n"), "417"},
      {"head over 16 KiB",
       "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(kMaxHeadBytes, 'a') + "\r\n\r\n", "431"},
      {"body over the limit", post("Content-Length: 1001\r\n"), "413"},
      {"chunks over the limit", chunked("3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n"),
       "413"},
  };
}

TEST(Strict, EveryDangerousInputIsRefusedAndNothingAfterItIsRead) {
  ServerLimits limits;
  limits.max_body_bytes = 1000;
  CountingServer target(limits);
  const auto cases = refused_cases();
  ASSERT_GE(cases.size(), 31u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RawClient client(target.port);
    client.send(c.bytes);
    client.send(kSecond);
    const std::string answer = client.read_to_end();
    EXPECT_EQ(answer.substr(0, 12), std::string("HTTP/1.1 ") + c.status);
    EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("HTTP/1.1 ", 8), std::string::npos) << "a second answer";
  }
  EXPECT_EQ(target.served, 0);
}

TEST(Strict, TheNearestGoodInputsAreServed) {
  ServerLimits limits;
  limits.max_body_bytes = 1000;
  CountingServer target(limits);
  const Case cases[] = {
      {"plain", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "/ 0"},
      {"length", post("Content-Length: 3\r\n", "abc"), "/ 3"},
      {"no length", post(""), "/ 0"},
      {"chunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "/ 5"},
      {"chunks at the limit", chunked("3e8\r\n" + std::string(1000, 'a') + "\r\n0\r\n\r\n"),
       "/ 1000"},
      {"length at the limit", post("Content-Length: 1000\r\n", std::string(1000, 'a')), "/ 1000"},
      {"1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/ 0"},
      {"tab and high bytes in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \t\xc3\xa4\t\r\n\r\n",
       "/ 0"},
      {"host with port", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "/ 0"},
      {"zero length on GET", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "/ 0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RawClient client(target.port);
    client.send(c.bytes);
    EXPECT_NE(client.read_until(c.status).find(std::string("\r\n\r\n") + c.status),
              std::string::npos);
    client.send(kSecond);  // the connection goes on, in step
    EXPECT_NE(client.read_until("/second 0").find("200 OK"), std::string::npos);
  }
}

TEST(Strict, FieldCountIsLimited) {
  auto with_fields = [](size_t count) {
    std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (size_t i = 1; i < count; ++i) head += "A: b\r\n";
    return head + "\r\n";
  };
  EXPECT_TRUE(strict_request(with_fields(kMaxFields)));
  auto over = strict_request(with_fields(kMaxFields + 1));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error(), Error::head_too_large);
}

TEST(Strict, EveryTruncationOfAHeadAsksForMoreOrIsRefused) {
  const std::string head = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
  for (size_t size = 0; size < head.size(); ++size) {
    size_t scanned = 0;
    auto end = find_head_end(std::string_view(head).substr(0, size), scanned);
    ASSERT_TRUE(end);
    EXPECT_FALSE(end->has_value()) << size;
    EXPECT_FALSE(strict_request(std::string_view(head).substr(0, size))) << size;
  }
  size_t scanned = 0;
  auto end = find_head_end(head, scanned);
  ASSERT_TRUE(end && *end);
  EXPECT_EQ(**end, head.size());
  EXPECT_TRUE(strict_request(head));
}

TEST(Strict, ByteByByteArrivalChangesNothing) {
  CountingServer target;
  RawClient client(target.port);
  for (char c : chunked("3\r\nabc\r\n0\r\n\r\n")) client.send(std::string_view(&c, 1));
  EXPECT_NE(client.read_until("/ 3").find("200 OK"), std::string::npos);
}

TEST(Strict, ResponseHeads) {
  struct ResponseCase {
    const char* name;
    std::string head;
    bool good;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const ResponseCase cases[] = {
      {"length", ok + "Content-Length: 3\r\n\r\n", true},
      {"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n", true},
      {"no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", true},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", true},
      {"body to the end of the connection", ok + "\r\n", false},
      {"length and chunks", ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false},
      {"gzip", ok + "Transfer-Encoding: gzip\r\n\r\n", false},
      {"two lengths", ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", false},
      {"chunks on 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false},
      {"folded", ok + "Content-Length: 3\r\nA: b\r\n c\r\n\r\n", false},
      {"continue", "HTTP/1.1 100 Continue\r\n\r\n", false},
      {"switching", "HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n", false},
      {"no content with content", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", false},
      {"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 3\r\n\r\n", false},
      {"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\n", false},
      {"version 2", "HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\n", false},
      {"bytes after the head", ok + "Content-Length: 3\r\n\r\nx", false},
  };
  for (const ResponseCase& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(strict_response(c.head).has_value(), c.good);
  }
}

}  // namespace
}  // namespace cloister::http
