#include "http/sse.h"

#include <algorithm>

#include "base/cbor.h"

namespace cloister::http {
namespace {

void append(SecretBuffer& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

bool holds_any(std::string_view text, std::string_view forbidden) {
  return text.find_first_of(forbidden) != std::string_view::npos;
}

constexpr std::string_view kNotInData{"\r\0", 2};
constexpr std::string_view kNotInName{"\r\n\0", 3};

}  // namespace

std::optional<SecretBuffer> sse_event(std::string_view data, std::string_view name) {
  if (holds_any(data, kNotInData) || holds_any(name, kNotInName)) return std::nullopt;
  SecretBuffer out;
  if (!name.empty()) {
    append(out, "event: ");
    append(out, name);
    append(out, "\n");
  }
  while (true) {
    const size_t end = std::min(data.find('\n'), data.size());
    append(out, "data: ");
    append(out, data.substr(0, end));
    append(out, "\n");
    if (end == data.size()) break;
    data.remove_prefix(end + 1);
  }
  append(out, "\n");
  return out;
}

SecretBuffer sse_comment_ping() {
  SecretBuffer out;
  append(out, ": ping\n\n");
  return out;
}

std::expected<std::vector<SseEvent>, Error> SseReader::put(Bytes piece) {
  std::vector<SseEvent> out;
  for (size_t at = 0; at < piece.size() && !failed_;) {
    const auto rest = piece.subspan(at);
    const auto end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
    if (static_cast<size_t>(end - rest.begin()) > kMaxSseLineBytes - line_.size()) {
      failed_ = true;
      break;
    }
    line_.insert(line_.end(), rest.begin(), end);
    if (end == rest.end()) break;
    at += static_cast<size_t>(end - rest.begin()) + 1;
    if (!take_line(out)) failed_ = true;
    line_.clear();
  }
  if (failed_) return std::unexpected(Error::bad_message);
  return out;
}

Status SseReader::take_line(std::vector<SseEvent>& out) {
  std::string_view line = as_text(line_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (holds_any(line, kNotInData) || !valid_utf8(line)) return std::unexpected(Error::bad_message);
  if (line.empty()) {
    if (has_data_) out.push_back({std::move(name_), std::move(data_)});
    name_.clear();
    data_ = {};
    has_data_ = false;
    return {};
  }
  const size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value;
  if (field != "data") return {};
  if (value.size() + 1 > kMaxSseEventBytes - data_.size())
    return std::unexpected(Error::bad_message);
  if (has_data_) append(data_, "\n");
  append(data_, value);
  has_data_ = true;
  return {};
}

}  // namespace cloister::http
