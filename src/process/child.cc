#include "process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace cloister::process {
namespace {

constexpr const char* kReadyVariable = "CLOISTER_READY_FD";
constexpr size_t kMaxReadyLine = 4096;

// Runs between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* argv, char* const* environment, const char* folder,
                         int stdout_fd, int stderr_fd, pid_t parent, int orphaned_signal) {
  prctl(PR_SET_PDEATHSIG, orphaned_signal);
  if (getppid() != parent) _exit(127);  // the parent died before prctl took effect
  if (stdout_fd >= 0) dup2(stdout_fd, STDOUT_FILENO);
  if (stderr_fd >= 0) dup2(stderr_fd, STDERR_FILENO);
  int null_fd = open("/dev/null", O_RDWR);
  if (null_fd >= 0) dup2(null_fd, STDIN_FILENO);
  setpgid(0, 0);  // the terminal's Ctrl-C goes to the parent, which ends its children in order
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (*folder != '\0' && chdir(folder) != 0) _exit(127);
  execve(argv[0], argv, environment);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more, int ready_fd) {
  std::vector<std::string> out;
  std::string prefix = std::string(kReadyVariable) + "=";
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(prefix)) out.emplace_back(*entry);
  }
  for (const std::string& entry : more) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(out, [&](const std::string& had) { return had.starts_with(name); });
    out.push_back(entry);
  }
  out.push_back(prefix + std::to_string(ready_fd));
  return out;
}

int open_for_output(const std::string& path) {
  if (path.empty()) return -1;
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

void close_if_open(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

std::string_view describe(ChildError error) {
  switch (error) {
    case ChildError::cannot_start:
      return "the process could not be started";
    case ChildError::ended_early:
      return "the process ended before it was ready";
    case ChildError::not_ready:
      return "the process was not ready in time";
    case ChildError::interrupted:
      return "interrupted";
  }
  std::abort();
}

std::expected<Child, ChildError> Child::start(const ChildOptions& options) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return std::unexpected(ChildError::cannot_start);
  int stdout_fd = open_for_output(options.stdout_file);
  int stderr_fd = open_for_output(options.stderr_file);
  auto arguments = options.argv;
  auto environment = environment_with(options.environment, pipe_fds[1]);
  auto argv = pointers(arguments), envp = pointers(environment);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    fcntl(pipe_fds[1], F_SETFD, 0);
    become(argv.data(), envp.data(), options.folder.c_str(), stdout_fd, stderr_fd, parent,
           options.orphaned_signal);
  }
  close(pipe_fds[1]);
  close_if_open(stdout_fd);
  close_if_open(stderr_fd);
  int pid_fd = pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
  if (pid_fd < 0) {
    close(pipe_fds[0]);
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, nullptr, 0);
    return std::unexpected(ChildError::cannot_start);
  }
  return Child(pid, pid_fd, pipe_fds[0]);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::exchange(other.pid_fd_, -1)),
      ready_fd_(std::exchange(other.ready_fd_, -1)),
      exit_code_(other.exit_code_) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  release();
  pid_ = std::exchange(other.pid_, -1);
  pid_fd_ = std::exchange(other.pid_fd_, -1);
  ready_fd_ = std::exchange(other.ready_fd_, -1);
  exit_code_ = other.exit_code_;
  return *this;
}

Child::~Child() {
  release();
}

void Child::release() {
  if (pid_ > 0) stop();
  pid_ = -1;
  close_if_open(pid_fd_);
  close_if_open(ready_fd_);
}

std::expected<std::string, ChildError> Child::wait_ready(int timeout_ms, int interrupt_fd) {
  SystemClock clock;
  UnixMillis deadline = clock.now_ms() + timeout_ms;
  std::string line;
  while (line.size() < kMaxReadyLine) {
    pollfd fds[2] = {{ready_fd_, POLLIN, 0}, {interrupt_fd, POLLIN, 0}};
    auto left = std::max<int64_t>(0, deadline - clock.now_ms());
    int ready = poll(fds, interrupt_fd >= 0 ? 2 : 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::unexpected(ChildError::not_ready);
    if (interrupt_fd >= 0 && fds[1].revents != 0) return std::unexpected(ChildError::interrupted);
    char c = 0;
    ssize_t got = read(ready_fd_, &c, 1);
    if (got <= 0) return std::unexpected(ChildError::ended_early);
    if (c == '\n') return line;
    line.push_back(c);
  }
  return std::unexpected(ChildError::ended_early);
}

std::optional<int> Child::exit_code() {
  if (exit_code_ || pid_ <= 0) return exit_code_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

void Child::ask_to_stop() {
  if (pid_ > 0 && !exit_code()) kill(pid_, SIGTERM);
}

bool Child::wait_end(int timeout_ms) {
  pollfd fd{pid_fd_, POLLIN, 0};
  SystemClock clock;
  UnixMillis deadline = clock.now_ms() + timeout_ms;
  for (;;) {
    auto left = std::max<int64_t>(0, deadline - clock.now_ms());
    int ready = poll(&fd, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    return ready == 1;
  }
}

int Child::stop() {
  ask_to_stop();
  if (!exit_code() && !wait_end(kGraceMs)) {
    kill(pid_, SIGKILL);
    wait_end(kGraceMs);
  }
  return exit_code().value_or(-1);
}

void announce_ready(std::string_view line) {
  const char* value = std::getenv(kReadyVariable);
  if (value == nullptr) return;
  int fd = std::atoi(value);
  if (fd <= STDERR_FILENO) return;
  std::string whole = std::string(line) + "\n";
  ssize_t wrote = write(fd, whole.data(), whole.size());
  (void)wrote;  // nobody waits any more: the parent has its own deadline
  close(fd);
  unsetenv(kReadyVariable);
}

}  // namespace cloister::process
