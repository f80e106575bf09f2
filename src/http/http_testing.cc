#include "http/http_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cloister::http {
namespace {

constexpr timeval kReadLimit{10, 0};

void require(bool held) {
  if (!held) std::abort();
}

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

TestContext::TestContext(size_t threads) : guard_(context_.get_executor()) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { context_.run(); });
}

TestContext::~TestContext() {
  guard_.reset();
  context_.stop();
  for (auto& thread : threads_) thread.join();
}

RawClient::RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  require(fd_ >= 0);
  require(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kReadLimit, sizeof kReadLimit) == 0);
  const sockaddr_in address = loopback(port);
  require(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

RawClient::~RawClient() {
  close();
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // a server that refused early may have closed: the answer tells
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string RawClient::read_until(std::string_view mark) {
  std::string all;
  char piece[4096];
  while (mark.empty() || all.find(mark) == std::string::npos) {
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got == 0) return all;
    if (got < 0) return all + "<read failed>";
    all.append(piece, static_cast<size_t>(got));
  }
  return all;
}

std::string RawClient::read_to_end() {
  return read_until("");
}
void RawClient::shutdown_write() {
  ::shutdown(fd_, SHUT_WR);
}

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

RawServer::RawServer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  require(listener_ >= 0);
  sockaddr_in address = loopback(0);
  require(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  require(::listen(listener_, 1) == 0);
  socklen_t size = sizeof address;
  require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, text = std::move(answer)] {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kReadLimit, sizeof kReadLimit);
    char piece[4096];
    if (::recv(fd, piece, sizeof piece, 0) > 0) ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    while (::recv(fd, piece, sizeof piece, 0) > 0) {
    }
    ::close(fd);
  });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

}  // namespace cloister::http
