// Boost.Beast's parser behind the checks of strict.h. Private to this folder.
#pragma once

#include <memory>

#include "http/message.h"
#include "http/strict.h"

namespace cloister::http {

// A peer that sends more than this without ending a chunk's size line is refused.
constexpr size_t kMaxChunkLineBytes = 64;

// Reads one message: first its whole head, checked by strict.h, then its body as it comes. Refuses
// chunk extensions and trailers. After an error the parser and its connection are of no more use.
class Parser {
 public:
  enum class Kind { request, response };
  Parser(Kind kind, size_t max_body_bytes);
  ~Parser();
  Parser(Parser&&) noexcept;

  // Takes bytes from the front of `arrived` and says how many; the rest must be offered again with
  // what comes next. Bytes after the end of the message are never taken.
  std::expected<size_t, Error> put(Bytes arrived);
  bool head_done() const;
  bool done() const;

  const RequestRules& request_rules() const;
  const ResponseRules& response_rules() const;
  Request take_request();    // once done; `peer` is left empty
  Response take_head();      // of a response, once its head is done; without body
  SecretBuffer take_body();  // what has come since the last call

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::http
