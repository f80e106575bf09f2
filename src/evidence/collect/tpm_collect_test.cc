#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "evidence/collect/tpm.h"
#include "evidence/tpm/verify.h"

namespace cloister::evidence::collect {
namespace {

namespace fs = std::filesystem;

// Two ports in a row that nobody uses.
std::optional<uint16_t> free_ports() {
  for (int attempt = 0; attempt < 50; ++attempt) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0), next = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || next < 0) return std::nullopt;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
              ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const uint16_t port = ntohs(address.sin_port);
    address.sin_port = htons(static_cast<uint16_t>(port + 1));
    ok = ok && port < UINT16_MAX && ::bind(next, reinterpret_cast<sockaddr*>(&address), size) == 0;
    ::close(fd);
    ::close(next);
    if (ok) return port;
  }
  return std::nullopt;
}

// A software TPM. It goes to the background once it listens, so there is nothing to wait for.
class SoftwareTpm : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(std::system("command -v swtpm > /dev/null"), 0) << "run scripts/setup";
    folder_ = fs::path(testing::TempDir()) / ("swtpm-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    const auto port = free_ports();
    ASSERT_TRUE(port);
    const std::string command =
        "swtpm socket --tpm2 --tpmstate dir='" + folder_.string() +
        "' --server type=tcp,port=" + std::to_string(*port) +
        ",bindaddr=127.0.0.1 --ctrl type=tcp,port=" + std::to_string(*port + 1) +
        ",bindaddr=127.0.0.1 --flags not-need-init,startup-clear " + "--daemon --pid file='" +
        (folder_ / "pid").string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::ifstream(folder_ / "pid") >> pid_;
    ASSERT_GT(pid_, 0);
    tcti_ = "swtpm:host=127.0.0.1,port=" + std::to_string(*port);
  }
  void TearDown() override {
    if (pid_ > 0) end();
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  // It is no child of ours, and takes its files away when it ends.
  void end() const {
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    ASSERT_GE(process, 0);
    ::kill(pid_, SIGTERM);
    pollfd ended{process, POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, 10'000), 1);
    ::close(process);
  }

  fs::path folder_;
  pid_t pid_ = 0;
  std::string tcti_;
};

PcrSelection all_pcrs(crypto::HashKind bank) {
  PcrSelection out{bank, {}};
  for (uint8_t i = 0; i < 24; ++i) out.indices.push_back(i);
  return out;
}

TEST_F(SoftwareTpm, ItsQuoteVerifiesWithItsKeyAndAnswersTheNonce) {
  const Buffer nonce(32, 9);
  for (const auto bank : {crypto::HashKind::sha256, crypto::HashKind::sha384}) {
    const auto got = tpm_quote(nonce, all_pcrs(bank), tcti_.c_str());
    ASSERT_TRUE(got) << got.error().detail;
    Collateral collateral;
    collateral.keys = {got->attestation_key};
    VerifyPolicy policy;
    policy.tpm_selection = all_pcrs(bank);
    const auto judged =
        verify_tpm_quote(got->evidence.bytes, collateral, policy, Binding::nonce(nonce));
    ASSERT_TRUE(judged.verified) << judged.appraisal.detail;
    EXPECT_EQ(judged.verified->runtime_measurements().size(), 24u);
    const auto replayed =
        verify_tpm_quote(got->evidence.bytes, collateral, policy, Binding::nonce(Buffer(32, 8)));
    EXPECT_EQ(replayed.appraisal.error, Error::nonce_mismatch);
  }
}

TEST_F(SoftwareTpm, TheKeyIsTheSameEveryTime) {
  const PcrSelection some{crypto::HashKind::sha256, {0, 7, 14}};
  const auto one = tpm_quote(Buffer(16, 1), some, tcti_.c_str());
  const auto two = tpm_quote(Buffer(16, 2), some, tcti_.c_str());
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->attestation_key.spki_sha256(), two->attestation_key.spki_sha256());
  EXPECT_NE(one->evidence.bytes, two->evidence.bytes);
}

TEST(TpmQuote, WhatCannotBeAskedIsRefused) {
  ::setenv("TSS2_LOG", "all+none", 0);
  const char* nobody = "swtpm:host=127.0.0.1,port=1";
  const PcrSelection good{crypto::HashKind::sha256, {0}};
  const auto error = [&](size_t nonce_bytes, const PcrSelection& selection) {
    return tpm_quote(Buffer(nonce_bytes), selection, nobody).error().error;
  };
  EXPECT_EQ(error(33, good), CollectError::refused);
  EXPECT_EQ(error(32, {crypto::HashKind::sha256, {}}), CollectError::refused);
  EXPECT_EQ(error(32, {crypto::HashKind::sha256, {24}}), CollectError::refused);
  EXPECT_EQ(error(32, {crypto::HashKind::sha512, {0}}), CollectError::refused);
  EXPECT_EQ(error(32, good), CollectError::not_available);
}

}  // namespace
}  // namespace cloister::evidence::collect
