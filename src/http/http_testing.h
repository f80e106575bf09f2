// For tests of HTTP: a context with threads, and a plain socket that says exactly what it is told.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdlib>
#include <future>
#include <thread>

#include "http/tcp.h"

namespace cloister::http {

constexpr std::chrono::seconds kTestPatience{20};

// An io_context with its threads. Coroutines run with `await` end the test program when they hang.
class TestContext {
 public:
  explicit TestContext(size_t threads = 1);
  ~TestContext();
  asio::any_io_executor executor() { return context_.get_executor(); }

  template <typename T>
  T await(asio::awaitable<T> work) {
    // The result travels in an optional because co_spawn wants a default value.
    auto result = std::make_shared<std::optional<T>>();
    auto done = asio::co_spawn(context_, store(std::move(work), result), asio::use_future);
    if (done.wait_for(kTestPatience) != std::future_status::ready) std::abort();
    done.get();
    return std::move(**result);
  }

 private:
  template <typename T>
  static asio::awaitable<void> store(asio::awaitable<T> work,
                                     std::shared_ptr<std::optional<T>> result) {
    result->emplace(co_await std::move(work));
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::vector<std::thread> threads_;
};

// A blocking client on loopback with a time limit for each read.
class RawClient {
 public:
  explicit RawClient(uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void send(std::string_view bytes);
  std::string read_until(std::string_view mark);  // ends early when the peer closes
  std::string read_to_end();
  void shutdown_write();
  void close();

 private:
  int fd_;
};

// A peer that accepts one connection, says `answer` once something has come, and closes.
class RawServer {
 public:
  explicit RawServer(std::string answer);
  ~RawServer();
  uint16_t port() const { return port_; }

 private:
  int listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace cloister::http
