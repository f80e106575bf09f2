// Runs one piece of asynchronous work to its end on this thread, for commands that do nothing else.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <optional>

namespace cloister::cli {

// What `work` gives; an exception of it goes on from here.
template <typename T>
T run_alone(boost::asio::awaitable<T> work) {
  boost::asio::io_context context(1);
  // In an optional, because co_spawn wants a value that can be made without arguments.
  auto result = std::make_shared<std::optional<T>>();
  const auto store = [result](boost::asio::awaitable<T> to_run) -> boost::asio::awaitable<void> {
    result->emplace(co_await std::move(to_run));
  };
  auto done = boost::asio::co_spawn(context, store(std::move(work)), boost::asio::use_future);
  context.run();
  done.get();
  return std::move(**result);
}

}  // namespace cloister::cli
