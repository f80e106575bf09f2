// For tests: a TLS server on loopback under an authority of its own.
#pragma once

#include "base/seams.h"
#include "http/server.h"
#include "http/tls.h"

namespace cloister::http {

struct TlsServerIdentity {
  std::vector<std::string> names = {"localhost"};  // of the certificate
  UnixSeconds not_before = 0;                      // 1970
  UnixSeconds not_after = 4'102'444'800;           // 2100
};

class TlsTestServer {
 public:
  TlsTestServer(asio::any_io_executor executor, Handler handler, TlsServerIdentity identity = {});
  uint16_t port() const { return port_; }
  const std::string& authority_pem() const { return authority_pem_; }

 private:
  std::string authority_pem_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

}  // namespace cloister::http
