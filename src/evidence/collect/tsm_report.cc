#include "evidence/collect/tsm_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace cloister::evidence::collect {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 3;
constexpr size_t kMaxAttributeBytes = 64;
constexpr size_t kMaxAuxiliaryBytes = 64 * 1024;

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int make_directory(const fs::path& path) {
  return ::mkdir(path.c_str(), 0700) == 0 ? 0 : errno;
}

int remove_directory(const fs::path& path) {
  return ::rmdir(path.c_str()) == 0 ? 0 : errno;
}

// An attribute takes its value in one write, or not at all.
int write_file(const fs::path& path, Bytes bytes) {
  const Descriptor file(path, O_WRONLY);
  if (file.get() < 0) return errno;
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written < 0) return errno;
  return static_cast<size_t>(written) == bytes.size() ? 0 : EIO;
}

int read_file(const fs::path& path, size_t max_bytes, Buffer& out) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) return errno;
  out.resize(max_bytes + 1);
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(file.get(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  out.resize(size);
  return size > max_bytes ? EFBIG : 0;
}

class Entry {
 public:
  Entry(const TsmFiles& files, fs::path folder) : files_(files), folder_(std::move(folder)) {}
  ~Entry() {
    if (made_) files_.remove_folder(folder_);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  Collected<std::monostate> make() {
    const int failed = files_.make_folder(folder_);
    if (failed != 0) return failure(failed, folder_);
    made_ = true;
    return std::monostate();
  }
  Collected<std::monostate> write(const char* attribute, Bytes value) const {
    const int failed = files_.write(folder_ / attribute, value);
    if (failed != 0) return failure(failed, folder_ / attribute);
    return std::monostate();
  }
  Collected<Buffer> read(const char* attribute, size_t max_bytes) const {
    Buffer out;
    const int failed = files_.read(folder_ / attribute, max_bytes, out);
    if (failed != 0) return failure(failed, folder_ / attribute);
    return out;
  }

 private:
  static std::unexpected<CollectFault> failure(int errno_value, const fs::path& path) {
    if (errno_value == EFBIG) return fault(CollectError::bad_answer, path.string() + ": too large");
    return fault(error_of(errno_value), path.string() + ": " + std::strerror(errno_value));
  }

  const TsmFiles& files_;
  const fs::path folder_;
  bool made_ = false;
};

Collected<Format> format_of(const Entry& entry) {
  const auto provider = entry.read("provider", kMaxAttributeBytes);
  if (!provider) return std::unexpected(provider.error());
  const std::string_view text = as_text(*provider);
  if (text == "tdx_guest\n" || text == "tdx_guest") return Format::tdx_quote;
  if (text == "sev_guest\n" || text == "sev_guest") return Format::snp_report;
  return fault(CollectError::bad_answer, "a provider that is neither tdx_guest nor sev_guest");
}

// The kernel refuses to read with EWOULDBLOCK while the answer is out of date.
Collected<GuestEvidence> ask(const Entry& entry, Format format, const ReportData& report_data) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = entry.read("generation", kMaxAttributeBytes);
    if (!before) return std::unexpected(before.error());
    if (auto wrote = entry.write("inblob", report_data); !wrote) {
      return std::unexpected(wrote.error());
    }
    auto report = entry.read("outblob", kMaxEvidenceBytes);
    if (!report && report.error().error == CollectError::busy) continue;
    if (!report) return std::unexpected(report.error());
    auto auxiliary = entry.read("auxblob", kMaxAuxiliaryBytes);
    const auto after = entry.read("generation", kMaxAttributeBytes);
    if (!after) return std::unexpected(after.error());
    // One write of ours is one step of the count.
    const auto step = [](const Buffer& text) {
      return std::strtoull(std::string(as_text(text)).c_str(), nullptr, 10);
    };
    if (step(*after) != step(*before) + 1) continue;
    if (report->empty()) return fault(CollectError::bad_answer, "an empty report");
    return GuestEvidence{{format, std::move(*report)}, std::move(auxiliary).value_or(Buffer())};
  }
  return fault(CollectError::busy, "the report's folder changed while it was read");
}

}  // namespace

TsmFiles TsmFiles::of_system() {
  return {make_directory, remove_directory, write_file, read_file};
}

Collected<GuestEvidence> tsm_report(const ReportData& report_data, const fs::path& reports,
                                    const TsmFiles& files) {
  static std::atomic<uint64_t> asked = 0;
  Entry entry(files,
              reports / ("cloister-" + std::to_string(::getpid()) + "-" + std::to_string(++asked)));
  if (auto made = entry.make(); !made) return std::unexpected(made.error());
  const auto format = format_of(entry);
  if (!format) return std::unexpected(format.error());
  return ask(entry, *format, report_data);
}

}  // namespace cloister::evidence::collect
