#include "chain/abci/server.h"

#include <google/protobuf/stubs/logging.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <list>
#include <mutex>
#include <thread>

#include "chain/abci/frame.h"

namespace cloister::chain::abci {
namespace {

constexpr int kBacklog = 16;
constexpr size_t kMaxConnections = 16;
constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kWriteAtBytes = 4 << 20;  // then answers go out although more requests are there

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un out{};
  if (path.empty() || path.size() >= sizeof(out.sun_path)) return std::nullopt;
  out.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), out.sun_path);
  return out;
}

Fd listen_at(const std::string& path, const sockaddr_un& address) {
  struct stat there{};
  const bool left = ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode);
  if (left) ::unlink(path.c_str());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || ::fchmod(fd.get(), 0600) != 0) return Fd();
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(fd.get(), generic, sizeof(address)) != 0) return Fd();
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0) return Fd();
  return fd;
}

bool write_all(int fd, Buffer& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  bytes.clear();
  return true;
}

void append(Buffer& out, const Response& response) {
  const size_t size = response.ByteSizeLong();
  append_frame_length(out, size);
  const size_t at = out.size();
  out.resize(at + size);
  if (!response.SerializeToArray(out.data() + at, static_cast<int>(size))) std::abort();
}

Response refusal(std::string_view why) {
  Response out;
  out.mutable_exception()->set_error(std::string(why));
  return out;
}

}  // namespace

std::string_view describe(ServerError error) {
  switch (error) {
    case ServerError::path_too_long:
      return "the socket's path is longer than 107 bytes";
    case ServerError::cannot_listen:
      return "the socket cannot be made";
  }
  return "unknown";
}

class Server::Impl {
 public:
  Impl(std::string path, Fd listener, Handler handler)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        stop_(::eventfd(0, EFD_CLOEXEC)),
        ended_(::eventfd(0, EFD_CLOEXEC)),
        handler_(std::move(handler)),
        acceptor_([this] { accept_all(); }) {}

  ~Impl() {
    signal(stop_);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (Connection& c : connections_) ::shutdown(c.fd.get(), SHUT_RDWR);
    }
    for (Connection& c : connections_) c.thread.join();
    ::unlink(path_.c_str());
  }

  size_t connections() const {
    const std::lock_guard lock(mutex_);
    size_t open = 0;
    for (const Connection& c : connections_) open += c.done ? 0 : 1;
    return open;
  }

 private:
  struct Connection {
    Fd fd;
    bool done = false;
    std::thread thread;
  };

  static void signal(const Fd& event) {
    const uint64_t one = 1;
    if (::write(event.get(), &one, sizeof(one)) != sizeof(one)) std::abort();
  }
  static void take(const Fd& event) {
    uint64_t count = 0;
    if (::read(event.get(), &count, sizeof(count)) != sizeof(count)) std::abort();
  }

  void accept_all() {
    for (bool full = false;;) {
      // Whoever comes while there is no room waits in the listener's queue.
      std::array<pollfd, 3> fds{{{full ? -1 : listener_.get(), POLLIN, 0},
                                 {stop_.get(), POLLIN, 0},
                                 {ended_.get(), POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0) continue;
      if (fds[1].revents != 0) return;
      if (fds[2].revents != 0) take(ended_);
      Fd fd(fds[0].revents == 0 ? -1 : ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const std::lock_guard lock(mutex_);
      bury();
      full = connections_.size() + (fd.valid() ? 1 : 0) >= kMaxConnections;
      if (!fd.valid()) continue;
      Connection& c = connections_.emplace_back();
      c.fd = std::move(fd);
      c.thread = std::thread([this, &c] { serve(c); });
    }
  }

  // Under the mutex.
  void bury() {
    for (auto c = connections_.begin(); c != connections_.end();) {
      if (!c->done) {
        ++c;
        continue;
      }
      c->thread.join();
      c = connections_.erase(c);
    }
  }

  void serve(Connection& c) {
    converse(c.fd.get());
    const std::lock_guard lock(mutex_);
    ::shutdown(c.fd.get(), SHUT_RDWR);
    c.done = true;
    signal(ended_);
  }

  void converse(int fd) {
    FrameReader frames;
    Buffer received(kReadBytes), out;
    for (;;) {
      const ssize_t count = ::recv(fd, received.data(), received.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      frames.append(Bytes(received).first(static_cast<size_t>(count)));
      if (!answer_all(fd, frames, out) || !write_all(fd, out)) return;
    }
  }

  bool answer_all(int fd, FrameReader& frames, Buffer& out) {
    for (;;) {
      const auto frame = frames.next();
      if (frame && !*frame) return true;
      const Response response = frame ? answer(**frame) : refusal("a frame is not of the form");
      append(out, response);
      const bool last = response.value_case() == Response::kException;
      if ((last || out.size() >= kWriteAtBytes) && !write_all(fd, out)) return false;
      if (last) return false;
    }
  }

  Response answer(Bytes frame) {
    Request request;
    if (!request.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
      return refusal("a message is not of the form");
    }
    return handler_(request);
  }

  const std::string path_;
  const Fd listener_, stop_, ended_;
  const Handler handler_;
  mutable std::mutex mutex_;
  std::list<Connection> connections_;
  std::thread acceptor_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;

std::expected<Server, ServerError> Server::start(const std::string& path, Handler handler) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(ServerError::path_too_long);
  // What the library has to say about bytes that are no message is said in the answer.
  google::protobuf::SetLogHandler(nullptr);
  Fd listener = listen_at(path, *address);
  if (!listener.valid()) return std::unexpected(ServerError::cannot_listen);
  return Server(std::make_unique<Impl>(path, std::move(listener), std::move(handler)));
}

size_t Server::connections() const {
  return impl_ ? impl_->connections() : 0;
}

void Server::stop() {
  impl_.reset();
}

}  // namespace cloister::chain::abci
