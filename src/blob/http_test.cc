#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"
#include "base/text.h"
#include "blob/http_client.h"
#include "blob/http_server.h"
#include "http/http_testing.h"

namespace cloister::blob {
namespace {

Buffer text(size_t size) {
  Buffer out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 5 + i / 257);
  return out;
}

struct Store {
  explicit Store(FolderLimits limits = {}) {
    folder = std::move(*Folder::open(files.path(), limits, clock));
    http::ServerLimits server_limits;
    server_limits.max_body_bytes = size_t{64} << 20;
    server.emplace(context.executor(), server_limits, serve_folder(*folder));
    port = *server->listen("127.0.0.1", 0);
  }
  Result<HttpAddress> put_there(Bytes content) {
    return context.await(put("127.0.0.1", port, content));
  }
  Result<Buffer> get_there(HttpAddress address, Transfer options = {}) {
    Buffer out;
    const Sink sink = [&](Bytes more) {
      out.insert(out.end(), more.begin(), more.end());
      return true;
    };
    auto got = context.await(get(std::move(address), sink, options));
    if (!got) return std::unexpected(got.error());
    EXPECT_EQ(*got, out.size());
    return out;
  }
  http::Response raw(http::Request request) {
    auto client = context.await(
        http::Client::connect(context.executor(), "127.0.0.1", port, http::Millis(5000)));
    return *context.await(client->request(std::move(request)));
  }

  TemporaryFolder files;
  SystemClock clock;
  std::unique_ptr<Folder> folder;
  http::TestContext context;
  std::optional<http::Server> server;
  uint16_t port = 0;
};

TEST(HttpStore, WhatIsPutComesBack) {
  Store store;
  for (size_t size : {size_t{0}, size_t{1}, size_t{64 * 1024}, size_t{5'000'000}}) {
    const Buffer content = text(size);
    const auto address = store.put_there(content);
    ASSERT_TRUE(address) << size;
    EXPECT_EQ(*store.get_there(*address), content) << size;
  }
}

TEST(HttpStore, WhatIsNotThere) {
  Store store;
  EXPECT_EQ(store.get_there({"127.0.0.1", store.port, Hash32{1}}).error(), BlobError::not_found);
}

TEST(HttpStore, Limits) {
  FolderLimits limits;
  limits.max_blob_bytes = 100;
  limits.quota_bytes = 150;
  Store store(limits);
  EXPECT_EQ(store.put_there(text(101)).error(), BlobError::too_large);
  const auto kept = store.put_there(text(100));
  ASSERT_TRUE(kept);
  EXPECT_EQ(store.put_there(text(60)).error(), BlobError::quota_exceeded);
  Transfer small;
  small.max_bytes = 99;
  EXPECT_EQ(store.get_there(*kept, small).error(), BlobError::too_large);
  small.max_bytes = 100;
  EXPECT_TRUE(store.get_there(*kept, small));
}

TEST(HttpStore, RangesAndOtherOrigins) {
  Store store;
  const auto address = store.put_there(as_bytes("some text"));
  const std::string path = "/blob/" + to_hex(address->sha256);
  const auto ranged = [&](const char* range) {
    auto request = http::make_request("GET", path);
    request.headers.push_back({"range", range});
    return store.raw(std::move(request));
  };
  const auto part = ranged("bytes=5-");
  EXPECT_EQ(part.status, 206u);
  EXPECT_EQ(part.text(), "text");
  EXPECT_EQ(part.header("content-range"), "bytes 5-8/9");
  EXPECT_EQ(ranged("bytes=9-").status, 404u);
  for (const char* range : {"bytes=-5", "bytes=0-3", "bytes=1-,2-", "bytes=x-", "items=1-"}) {
    EXPECT_EQ(ranged(range).status, 416u) << range;
  }
  EXPECT_EQ(store.raw(http::make_request("GET", path)).header("access-control-allow-origin"), "*");
  EXPECT_EQ(store.raw(http::make_request("OPTIONS", path)).status, 204u);
  for (const char* wrong : {"/", "/blob", "/blob/", "/blob/00", "/blobs/x", "/blob/../x"}) {
    EXPECT_EQ(store.raw(http::make_request("GET", wrong)).status, 404u) << wrong;
  }
}

// --- stores that lie ---

// Says what it is told for each request in turn, and then closes.
struct Liar {
  explicit Liar(std::vector<std::string> answers) : answers_(std::move(answers)) {
    server.emplace(context.executor(), http::ServerLimits{},
                   [this](auto& request, auto& exchange) { return answer(request, exchange); });
    port = *server->listen("127.0.0.1", 0);
  }
  // Each answer: its bytes, and a `!` in front when the connection breaks after them; or "404".
  http::asio::awaitable<void> answer(const http::Request& request, http::Exchange& exchange) {
    ranges.emplace_back(request.header("range"));
    std::string text = answers_[std::min(next_++, answers_.size() - 1)];
    if (text == "404") {
      auto absent = http::make_error(404, "invalid_request_error", "not_found", "no such blob");
      co_await exchange.send(std::move(absent));
      co_return;
    }
    const bool breaks = text.starts_with("!");
    if (breaks) text.erase(0, 1);
    http::Headers headers;
    auto going =
        co_await exchange.start_stream(ranges.back().empty() ? 200 : 206, std::move(headers));
    if (going && !text.empty()) going = co_await exchange.write(as_bytes(text));
    if (going && !breaks) co_await exchange.finish();
  }
  Result<std::string> get_here(std::string_view true_content, Transfer options = {}) {
    std::string out;
    HttpAddress address{"127.0.0.1", port, crypto::sha256(as_bytes(true_content))};
    Sink sink = [&](Bytes more) {
      out += as_text(more);
      return true;
    };
    auto got = context.await(get(std::move(address), std::move(sink), options));
    if (!got) return std::unexpected(got.error());
    return out;
  }

  http::TestContext context;
  std::optional<http::Server> server;
  uint16_t port = 0;
  std::vector<std::string> ranges;

 private:
  std::vector<std::string> answers_;
  size_t next_ = 0;
};

TEST(LyingStore, TheHashCatchesIt) {
  EXPECT_EQ(*Liar({"content"}).get_here("content"), "content");
  for (const char* lie : {"Content", "conten", "content!", ""}) {
    EXPECT_EQ(Liar({lie}).get_here("content").error(), BlobError::wrong_content) << lie;
  }
}

TEST(LyingStore, WhatBreaksOffIsTakenUpWhereItStood) {
  Liar store({"!con", "!te", "!", "nt"});
  EXPECT_EQ(*store.get_here("content"), "content");
  EXPECT_EQ(store.ranges, (std::vector<std::string>{"", "bytes=3-", "bytes=5-", "bytes=5-"}));
  // Another content after the break is caught as well.
  EXPECT_EQ(Liar({"!con", "tENT"}).get_here("content").error(), BlobError::wrong_content);
}

// As a server answers who is asked for what comes after the end.
TEST(LyingStore, ABreakAfterTheLastByteIsNoFault) {
  EXPECT_EQ(*Liar({"!content", "404"}).get_here("content"), "content");
  EXPECT_EQ(Liar({"!conten", "404"}).get_here("content").error(), BlobError::not_found);
  EXPECT_EQ(Liar({"404"}).get_here("content").error(), BlobError::not_found);
  EXPECT_EQ(Liar({"404"}).get_here("").error(), BlobError::not_found);
}

TEST(LyingStore, WhatNeverGoesOnEnds) {
  Liar store({"!con", "!"});
  EXPECT_EQ(store.get_here("content").error(), BlobError::unreachable);
  EXPECT_EQ(store.ranges.size(), 1 + kMaxAttempts);
}

TEST(LyingStore, WhatGoesOnForEverEndsToo) {
  Transfer small;
  small.max_bytes = 10;
  EXPECT_EQ(Liar({"!abcd"}).get_here("content", small).error(), BlobError::too_large);
}

TEST(HttpAddress, OnlyTheOneForm) {
  const std::string hash(64, 'a');
  const auto good = HttpAddress::parse("http://blobs.example:8080/blob/" + hash);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->host, "blobs.example");
  EXPECT_EQ(good->port, 8080);
  EXPECT_EQ(good->uri(), "http://blobs.example:8080/blob/" + hash);
  const std::string end = ":1/blob/" + hash;
  const std::vector<std::string> others = {"https://a" + end,
                                           "http://a/blob/" + hash,
                                           "http://" + end,
                                           "http://a:0/blob/" + hash,
                                           "http://a:01/blob/" + hash,
                                           "http://a:65536/blob/" + hash,
                                           "http://u@a" + end,
                                           "http://a" + end + "?x",
                                           "http://a:1/blob/aa",
                                           "http://a:1/blobs/" + hash,
                                           "http://A" + end,
                                           "http://a:1/blob/" + std::string(64, 'A'),
                                           "http://",
                                           ""};
  for (const std::string& bad : others) {
    EXPECT_EQ(HttpAddress::parse(bad).error(), BlobError::bad_uri) << bad;
  }
}

}  // namespace
}  // namespace cloister::blob
