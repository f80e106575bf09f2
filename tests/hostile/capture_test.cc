// What whoever carries the packets sees: TLS records, their sizes and order, and nothing else.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <set>

#include "hostile_testing.h"
#include "node/answer_stream.h"

namespace cloister::hostile {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kProxyHost = "127.0.0.2";  // a node advertises this instead of its own

// Forwards to 127.0.0.1 and writes down every TLS record by its head (RFC 8446, 5.1).
class Capture {
 public:
  Capture(World& world, uint16_t port)
      : world_(world),
        port_(port),
        listener_(world.context, tcp::endpoint(asio::ip::make_address(kProxyHost), port)) {
    asio::co_spawn(world.context, accept(), asio::detached);
  }

  // Sizes of the records that the node sent since the last call, and all bytes of both ways.
  std::vector<size_t> take_from_node() { return world_.await(take()); }
  const std::string& bytes() const { return bytes_; }

 private:
  asio::awaitable<std::vector<size_t>> take() { co_return std::exchange(records_, {}); }

  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket client(world_.context);
      auto [failed] = co_await listener_.async_accept(client, kAsTuple);
      if (failed) co_return;
      tcp::socket node(world_.context);
      const tcp::endpoint target(asio::ip::address_v4::loopback(), port_);
      auto [refused] = co_await node.async_connect(target, kAsTuple);
      if (refused) continue;
      auto sockets =
          std::make_shared<std::pair<tcp::socket, tcp::socket>>(std::move(client), std::move(node));
      asio::co_spawn(world_.context, pump(sockets, false), asio::detached);
      asio::co_spawn(world_.context, pump(sockets, true), asio::detached);
    }
  }

  asio::awaitable<void> pump(std::shared_ptr<std::pair<tcp::socket, tcp::socket>> sockets,
                             bool from_node) {
    tcp::socket& from = from_node ? sockets->second : sockets->first;
    tcp::socket& to = from_node ? sockets->first : sockets->second;
    Buffer piece(16384);
    std::string pending;
    for (;;) {
      auto [ended, size] =
          co_await from.async_read_some(asio::buffer(piece.data(), piece.size()), kAsTuple);
      if (ended) break;
      bytes_ += as_text(Bytes(piece).first(size));
      if (from_node) note(pending += as_text(Bytes(piece).first(size)));
      auto [broken, wrote] =
          co_await asio::async_write(to, asio::buffer(piece.data(), size), kAsTuple);
      if (broken) break;
    }
    boost::system::error_code gone;
    to.shutdown(tcp::socket::shutdown_send, gone);
  }

  void note(std::string& pending) {
    for (;;) {
      ByteReader r(as_bytes(pending));
      const auto head = r.take(3);  // type, version
      const auto size = head ? r.u16_be() : std::nullopt;
      if (!size || !r.take(*size)) return;
      records_.push_back(*size);
      pending.erase(0, 5 + size_t{*size});
    }
  }

  World& world_;
  const uint16_t port_;
  tcp::acceptor listener_;
  std::vector<size_t> records_;
  std::string bytes_;
};

class Watched : public testing::Test {
 protected:
  Watched()
      : node_(world_.honest_node("operator", 0, false, std::string(kProxyHost))),
        capture_(world_.keep(std::make_unique<Capture>(world_, node_.port))),
        gateway_(world_.keep(std::make_unique<Gateway>(world_))) {}

  size_t draw(size_t below) {
    const auto bytes = random_.fixed<8>();
    return static_cast<size_t>(*ByteReader(bytes).u64_le() % below);
  }
  // Pieces as a model makes them: one to twelve characters, with the canary somewhere.
  std::vector<std::string> pieces(size_t count) {
    std::vector<std::string> out(count);
    for (std::string& piece : out) piece.assign(1 + draw(12), static_cast<char>('a' + draw(26)));
    out[draw(count)] = kCanary;
    return out;
  }
  // The records that the node sent for one answer of these pieces.
  std::vector<size_t> trace_of(std::vector<std::string> answer) {
    std::string whole;
    for (const auto& piece : answer) whole += piece;
    node_.engine->now_answer(std::move(answer));
    capture_.take_from_node();
    const auto began = std::chrono::steady_clock::now();
    const Asked asked = gateway_.ask_again(canary_chat());
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_FALSE(asked.error) << asked.error->message;
    EXPECT_EQ(asked.answer, whole);
    auto records = capture_.take_from_node();
    // One frame a tick and never two; a head and an end are no frames. A timer may only be late.
    if (gateway_.session->bundle.sealing.padding != sealed::Padding::off) {
      EXPECT_GE(took, node::kTick * (static_cast<int64_t>(records.size()) - 3));
    }
    return records;
  }
  // Nobody between sees a word of the prompt or the answer.
  void expect_no_canary() {
    EXPECT_GT(capture_.bytes().size(), 10'000u);
    EXPECT_EQ(capture_.bytes().find(kCanary), std::string::npos);
  }

  World world_;
  SeededRandom random_{4};
  World::Honest& node_;
  Capture& capture_;
  Gateway& gateway_;
};

TEST_F(Watched, TwoHundredAnswersShowAHandfulOfSizes) {
  ASSERT_FALSE(gateway_.ask().error);  // opens the session
  std::map<size_t, size_t> sizes;
  for (size_t i = 0; i < 200; ++i) {
    for (size_t size : trace_of(pieces(1 + draw(40)))) ++sizes[size];
  }
  EXPECT_GE(sizes.size(), 2u);
  EXPECT_LE(sizes.size(), 8u);
  for (const auto& [size, count] : sizes) std::printf("%zu records of %zu bytes\n", count, size);
  expect_no_canary();
}

TEST_F(Watched, WithoutPaddingTheSizesShow) {
  ASSERT_FALSE(gateway_.ask().error);
  gateway_.session->bundle.sealing.padding = sealed::Padding::off;
  std::set<size_t> sizes;
  for (size_t i = 0; i < 20; ++i) {
    for (size_t size : trace_of(pieces(1 + draw(40)))) sizes.insert(size);
  }
  EXPECT_GT(sizes.size(), 8u);
  expect_no_canary();
}

TEST_F(Watched, StrictAnswersOfOneBucketHaveOneTrace) {
  ASSERT_FALSE(gateway_.ask().error);
  gateway_.session->bundle.sealing.padding = sealed::Padding::strict;
  const auto first = trace_of(pieces(2));
  EXPECT_GE(first.size(), sealed::kFirstStrictBucket);
  for (const size_t count : std::initializer_list<size_t>{1, 3, 10, 40, 100, 200}) {
    EXPECT_EQ(trace_of(pieces(count)), first) << count;
  }
  expect_no_canary();
}

}  // namespace
}  // namespace cloister::hostile
