#include "evidence/collect/quote_generation.h"

#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cloister::evidence::collect {
namespace {

constexpr uint16_t kMajor = 1, kMinor = 0;
constexpr uint32_t kGetQuoteRequest = 0, kGetQuoteResponse = 1;
constexpr uint32_t kHeaderBytes = 16, kSizesBytes = 8;
constexpr unsigned kPort = 4050;
constexpr size_t kMaxAnswerBytes = 64 * 1024;

using Clock = std::chrono::steady_clock;

std::unexpected<CollectFault> bad(std::string what) {
  return fault(CollectError::bad_answer, "quote generation service: " + std::move(what));
}

class Socket {
 public:
  explicit Socket(Clock::time_point until)
      : fd_(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), until_(until) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Each returns 0 or an errno value; ETIMEDOUT when the deadline has passed.
  int connect() {
    if (fd_ < 0) return EAFNOSUPPORT;  // this kernel has no vsock
    sockaddr_vm host{};
    host.svm_family = AF_VSOCK;
    host.svm_cid = VMADDR_CID_HOST;
    host.svm_port = kPort;
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&host), sizeof host) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (const int failed = wait(POLLOUT); failed != 0) return failed;
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) return errno;
    return outcome;
  }
  int send(Bytes bytes) {
    if (fd_ < 0) return EBADF;
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        if (const int failed = retry(errno, POLLOUT); failed != 0) return failed;
        continue;
      }
      bytes = bytes.subspan(static_cast<size_t>(sent));
    }
    return 0;
  }
  int receive(size_t count, Buffer& out) {
    if (fd_ < 0) return EBADF;
    const size_t end = out.size() + count;
    size_t at = out.size();
    out.resize(end);
    while (at < end) {
      const ssize_t got = ::recv(fd_, out.data() + at, end - at, 0);
      if (got == 0) return ECONNRESET;
      if (got < 0) {
        if (const int failed = retry(errno, POLLIN); failed != 0) return failed;
        continue;
      }
      at += static_cast<size_t>(got);
    }
    return 0;
  }

 private:
  int retry(int why, short event) { return why == EAGAIN || why == EINTR ? wait(event) : why; }
  int wait(short event) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    pollfd watched{fd_, event, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left.count()));
    if (ready == 0) return ETIMEDOUT;
    return ready < 0 && errno != EINTR ? errno : 0;
  }

  int fd_;
  Clock::time_point until_;
};

int exchange(Socket& socket, Bytes message, Buffer& answer) {
  if (const int failed = socket.connect(); failed != 0) return failed;
  if (const int failed = socket.send(message); failed != 0) return failed;
  if (const int failed = socket.receive(4, answer); failed != 0) return failed;
  const uint32_t size = *ByteReader(answer).u32_be();
  return size > kMaxAnswerBytes ? EFBIG : socket.receive(size, answer);
}

}  // namespace

QgsTransport qgs_over_vsock(std::chrono::milliseconds deadline) {
  return [deadline](Bytes message) -> Collected<Buffer> {
    Socket socket(Clock::now() + deadline);
    Buffer answer;
    const int failed = exchange(socket, message, answer);
    if (failed == EFBIG) return bad("an answer that is too large");
    if (failed == 0) return answer;
    return fault(failed == EAFNOSUPPORT ? CollectError::not_available : error_of(failed),
                 std::string("quote generation service: ") + std::strerror(failed));
  };
}

Buffer qgs_request(Bytes td_report) {
  const auto body = static_cast<uint32_t>(kHeaderBytes + kSizesBytes + td_report.size());
  ByteWriter out;
  out.u32_be(body);
  out.u16_le(kMajor).u16_le(kMinor).u32_le(kGetQuoteRequest).u32_le(body).u32_le(0);
  out.u32_le(static_cast<uint32_t>(td_report.size())).u32_le(0).bytes(td_report);
  return out.take();
}

Collected<Buffer> quote_from_qgs(Bytes answer) {
  ByteReader in(answer);
  const auto total = in.u32_be();
  if (!total || *total != in.remaining()) return bad("its length");
  const auto major = in.u16_le(), minor = in.u16_le();
  const auto type = in.u32_le(), size = in.u32_le(), code = in.u32_le();
  if (!code || *major != kMajor || !minor || *type != kGetQuoteResponse || *size != *total) {
    return bad("its header");
  }
  if (*code != 0) {
    return fault(CollectError::refused,
                 "quote generation service: error code " + std::to_string(*code));
  }
  const auto id_size = in.u32_le(), quote_size = in.u32_le();
  if (!quote_size || !in.take(*id_size)) return bad("its sizes");
  const auto quote = in.take(*quote_size);
  if (!quote || quote->empty() || !in.done()) return bad("its sizes");
  return to_buffer(*quote);
}

Collected<GuestEvidence> quote_of(Bytes td_report, const QgsTransport& transport) {
  const auto answer = transport(qgs_request(td_report));
  if (!answer) return std::unexpected(answer.error());
  auto quote = quote_from_qgs(*answer);
  if (!quote) return std::unexpected(quote.error());
  return GuestEvidence{{Format::tdx_quote, std::move(*quote)}, {}};
}

}  // namespace cloister::evidence::collect
