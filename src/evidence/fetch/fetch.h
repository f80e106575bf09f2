// Asks the vendors' services for collateral and writes it into a folder that a verifier takes. The
// only part of evidence/ that touches a network; nothing that verifies includes it.
#pragma once

#include <filesystem>

#include "evidence/fetch/answer.h"
#include "http/tls.h"

namespace cloister::evidence::fetch {

struct FetchOptions {
  http::TlsRoots roots;
  http::Millis timeout{20'000};  // for each object, connection included
  size_t max_bytes = kMaxCollateralFileBytes;
  // "host" -> where to connect instead. The certificate is asked for the name all the same.
  struct Via {
    std::string host;
    uint16_t port;
  };
  std::map<std::string, Via> via;
};

// All answers in the order of `wanted`, or the first fault. One connection an object; nothing is
// retried, and a redirect is a refusal.
http::asio::awaitable<std::expected<std::vector<File>, FetchFault>> fetch_all(
    std::vector<Wanted> wanted, FetchOptions options);

// `folder` must be absent or empty. All files or none: they are written beside it, then renamed.
std::expected<void, FetchFault> write_folder(const std::filesystem::path& folder,
                                             const std::vector<File>& files);

}  // namespace cloister::evidence::fetch
