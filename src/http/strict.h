// The HTTP/1.1 that we admit, checked on the raw bytes of a message head before Boost.Beast parses
// them, because Beast 1.81 accepts heads that two programs can read in two ways (request
// smuggling).
//
// Refused beyond what RFC 9112 forbids: HTTP/1.0 with Transfer-Encoding; any Transfer-Encoding
// other than exactly `chunked`; Transfer-Encoding together with Content-Length; a repeated or
// listed Content-Length, even with equal values; folded lines; bare CR or LF; control characters;
// missing or repeated Host; repeated fields that decide something; bodies on GET; request targets
// other than origin form; responses whose body ends with the connection; responses 1xx. Chunk
// extensions and trailers are refused where they appear, in parser.h.
#pragma once

#include <optional>

#include "http/error.h"

namespace cloister::http {

constexpr size_t kMaxHeadBytes = 16 * 1024;
constexpr size_t kMaxFields = 64;
constexpr size_t kMaxTargetBytes = 8 * 1024;

struct RequestRules {
  bool version_1_1 = true;
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  uint64_t body_bytes = 0;  // Content-Length; 0 when absent or chunked
};

struct ResponseRules {
  bool keep_alive = true;
  bool has_body = true;
};

// Looks for the end of a head in what has arrived so far. The size of the head with its empty line;
// nothing when more bytes are needed. Bytes that can be in no head are refused as soon as they
// come: `scanned` carries on from the last call and begins at 0.
std::expected<std::optional<size_t>, Error> find_head_end(std::string_view arrived,
                                                          size_t& scanned);

// `head` is one whole head as find_head_end measured it.
std::expected<RequestRules, Error> strict_request(std::string_view head);
std::expected<ResponseRules, Error> strict_response(std::string_view head);

// Grammar of single parts, also used by the writers.
bool is_token(std::string_view text);        // RFC 9110, 5.6.2; at most 256 bytes
bool is_field_value(std::string_view text);  // no control characters but tab
bool is_target(std::string_view text);       // origin form: visible ASCII from '/', no '#'
bool is_host(std::string_view text);         // host[:port] by its characters
bool is_method(std::string_view text);       // GET, POST, DELETE or OPTIONS

}  // namespace cloister::http
