#include "chain/abci/client_testing.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace cloister::chain::abci {

Buffer framed(const Request& request) {
  Buffer out;
  append_frame_length(out, request.ByteSizeLong());
  const std::string bytes = request.SerializeAsString();
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

TestConnection::TestConnection(const std::string& path)
    : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(fd_, generic, sizeof(address)) != 0) std::abort();
  // An answer that never comes is a closed connection to the test.
  const timeval patience{60, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

TestConnection::~TestConnection() {
  if (fd_ >= 0) ::close(fd_);
}

TestConnection::TestConnection(TestConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), frames_(std::move(other.frames_)) {}

TestConnection& TestConnection::operator=(TestConnection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(frames_, other.frames_);
  return *this;
}

void TestConnection::send_bytes(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // what was not received shows in the answers
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void TestConnection::send(const Request& request) {
  send_bytes(framed(request));
}

std::optional<Response> TestConnection::receive() {
  for (;;) {
    const auto frame = frames_.next();
    if (!frame) return std::nullopt;
    if (*frame) {
      Response out;
      if (!out.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) std::abort();
      return out;
    }
    std::array<uint8_t, 65536> received;
    const ssize_t count = ::recv(fd_, received.data(), received.size(), 0);
    if (count <= 0) return std::nullopt;
    frames_.append(Bytes(received).first(static_cast<size_t>(count)));
  }
}

Response TestConnection::call(const Request& request) {
  Request flush;
  flush.mutable_flush();
  Buffer both = framed(request);
  const Buffer second = framed(flush);
  both.insert(both.end(), second.begin(), second.end());
  send_bytes(both);
  auto answer = receive();
  if (answer && answer->has_exception()) return *answer;
  const auto flushed = receive();
  if (!answer || !flushed || !flushed->has_flush()) {
    Response out;
    out.mutable_exception()->set_error("the connection was closed");
    return out;
  }
  return std::move(*answer);
}

}  // namespace cloister::chain::abci
