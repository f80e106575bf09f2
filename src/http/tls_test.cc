#include "http/tls.h"

#include <gmock/gmock.h>

#include <fstream>

#include "http/client.h"
#include "http/http_testing.h"
#include "http/tls_testing.h"

namespace cloister::http {
namespace {

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("tls-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static asio::awaitable<void> answer(const Request&, Exchange& exchange) {
    co_await exchange.send(make_response(200, "text/plain", "hello"));
  }

  TlsRoots trusting(const std::string& pem) {
    const auto path = folder_ / "authority.pem";
    std::ofstream(path) << pem;
    return TlsRoots::from_file(path).value();
  }

  Error refusal(TlsTarget target, const TlsRoots& roots, Millis timeout = Millis(10'000)) {
    const auto stream =
        context_.await(connect_tls(context_.executor(), std::move(target), roots, timeout));
    EXPECT_FALSE(stream);
    return stream ? Error::closed : stream.error();
  }

  std::filesystem::path folder_;
  TestContext context_;
};

TEST_F(Tls, ARequestGoesThroughToTheNameThatTheCertificateIsFor) {
  TlsTestServer server(context_.executor(), &answer, {.names = {"service.example"}});
  TlsTarget target{"service.example", 443, "127.0.0.1", server.port()};
  auto stream = context_.await(
      connect_tls(context_.executor(), target, trusting(server.authority_pem()), Millis(10'000)));
  ASSERT_TRUE(stream);
  Client client(std::move(*stream), target.host);
  const auto response = context_.await(client.request(make_request("GET", "/")));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->text(), "hello");
}

TEST_F(Tls, AnotherNameAnotherAuthorityOrAnotherTimeIsRefused) {
  TlsTestServer server(context_.executor(), &answer, {.names = {"service.example"}});
  const TlsRoots roots = trusting(server.authority_pem());
  EXPECT_EQ(refusal({"other.example", 443, "127.0.0.1", server.port()}, roots),
            Error::certificate_refused);
  EXPECT_EQ(refusal({"127.0.0.1", server.port()}, roots), Error::certificate_refused);

  TlsTestServer stranger(context_.executor(), &answer, {.names = {"service.example"}});
  EXPECT_EQ(refusal({"service.example", 443, "127.0.0.1", stranger.port()}, roots),
            Error::certificate_refused);
  EXPECT_EQ(
      refusal({"service.example", 443, "127.0.0.1", server.port()}, TlsRoots::of_system().value()),
      Error::certificate_refused);

  TlsTestServer past(context_.executor(), &answer,
                     {.names = {"service.example"}, .not_after = 1'000'000'000});
  EXPECT_EQ(
      refusal({"service.example", 443, "127.0.0.1", past.port()}, trusting(past.authority_pem())),
      Error::certificate_refused);
}

TEST_F(Tls, APeerThatSpeaksNoTlsOrNothingAtAllIsAnErrorInTime) {
  const TlsRoots roots = TlsRoots::of_system().value();
  RawServer plain("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refusal({"localhost", plain.port()}, roots), Error::tls_failed);

  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  EXPECT_EQ(refusal({"localhost", silent.local_endpoint().port()}, roots, Millis(100)),
            Error::deadline);
}

TEST_F(Tls, AFileWithoutCertificatesIsNoSetOfAuthorities) {
  const auto path = folder_ / "empty.pem";
  std::ofstream(path) << "nothing";
  EXPECT_FALSE(TlsRoots::from_file(path));
  EXPECT_FALSE(TlsRoots::from_file(folder_ / "absent.pem"));
}

}  // namespace
}  // namespace cloister::http
