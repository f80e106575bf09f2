// TLS towards public services, whose certificates the usual authorities sign. Not the channel to a
// node: that one is attested and lives in channel/atls.
#pragma once

#include <filesystem>

#include "http/tcp.h"

namespace cloister::http {

// The certificate authorities to believe. Immutable once made; may be shared by threads.
class TlsRoots {
 public:
  // Those of the system. Nothing when OpenSSL cannot name them.
  static std::optional<TlsRoots> of_system();
  // Those in one PEM file and no others. Nothing when it holds none.
  static std::optional<TlsRoots> from_file(const std::filesystem::path& pem);

  void* context() const { return context_.get(); }  // asio::ssl::context*, lent

 private:
  std::shared_ptr<void> context_;
};

struct TlsTarget {
  std::string host;  // the certificate must be for this name
  uint16_t port = 443;
  // Where to connect instead, for instance a tunnel; the certificate is still asked for `host`.
  std::string via_host{};
  uint16_t via_port = 0;
};

// TLS 1.2 or newer. Error::certificate_refused when no believed authority vouches for the server
// or its certificate is for another name, Error::tls_failed for any other failure of the handshake.
asio::awaitable<std::expected<std::unique_ptr<Stream>, Error>> connect_tls(
    asio::any_io_executor executor, TlsTarget target, TlsRoots roots, Millis timeout);

}  // namespace cloister::http
