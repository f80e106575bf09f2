// TCP streams, and connecting them.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "http/stream.h"

namespace cloister::http {

using Millis = std::chrono::milliseconds;

// `socket` is connected and its executor is a strand (or its context has one thread).
std::unique_ptr<Stream> tcp_stream(asio::ip::tcp::socket socket);

// Resolves and connects, each address in turn, within `timeout`. The socket is on a strand of its
// own.
asio::awaitable<std::expected<asio::ip::tcp::socket, Error>> connect_tcp(
    asio::any_io_executor executor, std::string host, uint16_t port, Millis timeout);

}  // namespace cloister::http
