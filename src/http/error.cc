#include "http/error.h"

namespace cloister::http {

std::string_view describe(Error error) {
  switch (error) {
    case Error::bad_message:
      return "the message is not well-formed HTTP/1.1";
    case Error::head_too_large:
      return "the message head is larger than 16 KiB or has over 64 fields";
    case Error::body_too_large:
      return "the message body is larger than the limit";
    case Error::method_refused:
      return "the method is not GET, POST, DELETE or OPTIONS";
    case Error::expectation_refused:
      return "the expectation is not 100-continue";
    case Error::peer_gone:
      return "the peer closed the connection";
    case Error::truncated:
      return "the connection ended in the middle of a message";
    case Error::deadline:
      return "the peer did not keep to the time limit";
    case Error::closed:
      return "the connection was closed on this side";
    case Error::bad_field:
      return "a header field to be written has a forbidden name or value";
    case Error::out_of_order:
      return "the answer was written out of order";
    case Error::address_in_use:
      return "the port is already in use";
    case Error::address_refused:
      return "the address cannot be used on this machine";
    case Error::unknown_host:
      return "the host name is unknown";
    case Error::connect_failed:
      return "the connection could not be made";
    case Error::tls_failed:
      return "the TLS handshake failed";
    case Error::certificate_refused:
      return "the server's certificate is not valid for its name";
  }
  return "unknown error";
}

}  // namespace cloister::http
