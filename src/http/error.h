// Why an exchange over HTTP failed. One value a cause; `describe` gives the sentence.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace cloister::http {

enum class Error : uint8_t {
  bad_message = 1,          // not the HTTP that strict.h admits
  head_too_large = 2,       // over kMaxHeadBytes or kMaxFields
  body_too_large = 3,       // over the caller's limit
  method_refused = 4,       // a method other than GET, POST, DELETE, OPTIONS
  expectation_refused = 5,  // an Expect other than 100-continue
  peer_gone = 6,            // the peer closed or reset the connection
  truncated = 7,            // the peer closed in the middle of a message
  deadline = 8,             // a time limit passed; the connection is closed
  closed = 9,               // closed by our side
  bad_field = 10,           // our caller asked to write a field that may not be written
  out_of_order = 11,        // our caller answered twice, or wrote outside a stream
  address_in_use = 12,
  address_refused = 13,  // not an address of this machine, or no permission
  unknown_host = 14,
  connect_failed = 15,
  tls_failed = 16,
  certificate_refused = 17,
};
std::string_view describe(Error error);

using Status = std::expected<void, Error>;

}  // namespace cloister::http
