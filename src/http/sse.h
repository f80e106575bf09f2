// Server-sent events (the WHATWG event stream format), strictly in both directions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "http/error.h"

namespace cloister::http {

constexpr size_t kMaxSseLineBytes = 1 << 20;
constexpr size_t kMaxSseEventBytes = 4 << 20;

// One event: an optional name and its data, which may have several lines. Nothing when the name or
// the data hold what would break the framing: CR or NUL, or LF in the name.
std::optional<SecretBuffer> sse_event(std::string_view data, std::string_view name = {});
SecretBuffer sse_comment_ping();  // ": ping", keeps idle connections open

struct SseEvent {
  std::string name;   // empty: a plain message
  SecretBuffer data;  // lines joined by LF

  std::string_view text() const { return as_text(data); }
};

// Reads a stream in pieces of any size. Refused for good: a line or an event over its limit, CR
// that no LF follows, NUL, text that is not UTF-8. Comments, `id` and `retry` are skipped.
class SseReader {
 public:
  // The events that `piece` completes. After an error every call gives Error::bad_message.
  std::expected<std::vector<SseEvent>, Error> put(Bytes piece);
  // False when the stream ended in the middle of an event.
  bool at_rest() const { return line_.empty() && name_.empty() && !has_data_ && !failed_; }

 private:
  Status take_line(std::vector<SseEvent>& out);

  SecretBuffer line_, data_;
  std::string name_;
  bool has_data_ = false;
  bool failed_ = false;
};

}  // namespace cloister::http
