// The socket: order, exactly one answer each, hostile bytes, and engines that come and go.
#include "chain/abci/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "chain/abci/client_testing.h"
#include "chain/chain_testing.h"

namespace cloister::chain::abci {
namespace {

Request echo_of(const std::string& message) {
  Request out;
  out.mutable_echo()->set_message(message);
  return out;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    auto started = Server::start(path_, [](const Request& request) {
      Response out;
      if (request.has_flush()) out.mutable_flush();
      if (request.has_echo()) {
        out.mutable_echo()->set_message(request.echo().message());
        if (request.echo().message() == "fail") out.mutable_exception()->set_error("as asked");
      }
      return out;
    });
    EXPECT_TRUE(started);
    server_.emplace(std::move(*started));
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("app.sock");
  std::optional<Server> server_;
};

TEST_F(ServerTest, TenThousandPipelinedRequestsAreAnsweredInOrder) {
  TestConnection connection(path_);
  constexpr int kRequests = 10'000;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) connection.send(echo_of(std::to_string(i)));
  });
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = connection.receive();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->echo().message(), std::to_string(i));
  }
  writer.join();
}

// Answers of 64 MiB that nobody reads at first: they wait, and none is lost.
TEST_F(ServerTest, ASlowReaderGetsEverything) {
  TestConnection connection(path_);
  const std::string large(1 << 20, 'x');
  constexpr int kRequests = 64;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) connection.send(echo_of(large));
  });
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = connection.receive();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->echo().message().size(), large.size());
  }
  writer.join();
}

TEST_F(ServerTest, ConnectionsDoNotWaitForEachOther) {
  TestConnection first(path_), second(path_), third(path_), fourth(path_);
  first.send_bytes(Bytes(framed(echo_of("half"))).first(3));  // and no more of it
  EXPECT_EQ(second.call(echo_of("b")).echo().message(), "b");
  EXPECT_EQ(third.call(echo_of("c")).echo().message(), "c");
  EXPECT_EQ(fourth.call(echo_of("d")).echo().message(), "d");
}

TEST_F(ServerTest, AnEngineMayGoAwayAndComeBack) {
  for (int i = 0; i < 100; ++i) {
    TestConnection connection(path_);
    ASSERT_EQ(connection.call(echo_of("again")).echo().message(), "again") << i;
  }
}

TEST_F(ServerTest, WhatIsNoMessageEndsItsConnectionAlone) {
  TestConnection good(path_);
  for (const Buffer& bytes :
       {Buffer{0x03, 0xff, 0xff, 0xff}, Buffer{0xff, 0xff, 0xff, 0xff, 0x0f}, Buffer{0x80, 0x00}}) {
    TestConnection bad(path_);
    bad.send_bytes(bytes);
    const auto answer = bad.receive();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->has_exception());
    EXPECT_FALSE(bad.receive());
  }
  EXPECT_EQ(good.call(echo_of("still")).echo().message(), "still");
}

TEST_F(ServerTest, AnExceptionIsTheLastAnswer) {
  TestConnection connection(path_);
  connection.send(echo_of("fail"));
  connection.send(echo_of("never answered"));
  EXPECT_TRUE(connection.receive()->has_exception());
  EXPECT_FALSE(connection.receive());
}

TEST_F(ServerTest, MutatedStreamsHarmNobody) {
  SeededRandom random(5);
  Buffer stream;
  for (int i = 0; i < 20; ++i) {
    const Buffer one = framed(echo_of("message " + std::to_string(i)));
    stream.insert(stream.end(), one.begin(), one.end());
  }
  for (int i = 0; i < 500; ++i) {
    TestConnection connection(path_);
    Buffer bytes = stream;
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random.next() % bytes.size()] ^= static_cast<uint8_t>(random.next());
    }
    connection.send_bytes(bytes);
  }
  TestConnection connection(path_);
  EXPECT_EQ(connection.call(echo_of("well")).echo().message(), "well");
}

TEST_F(ServerTest, StoppingCutsWhoeverIsConnected) {
  TestConnection connection(path_);
  ASSERT_EQ(connection.call(echo_of("here")).echo().message(), "here");
  server_.reset();
  EXPECT_FALSE(connection.receive());
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST(ServerStart, ASocketThatADeadProcessLeftIsReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder.file("app.sock");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  auto server = Server::start(path, [](const Request&) { return Response(); });
  EXPECT_TRUE(server);
}

TEST(ServerStart, APathThatIsTooLongIsItsOwnError) {
  const auto server =
      Server::start("/tmp/" + std::string(200, 'a'), [](const Request&) { return Response(); });
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(), ServerError::path_too_long);
  const auto absent =
      Server::start("/nowhere/at/all/app.sock", [](const Request&) { return Response(); });
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error(), ServerError::cannot_listen);
}

}  // namespace
}  // namespace cloister::chain::abci
