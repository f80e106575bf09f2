#include "http/strict.h"

#include <algorithm>
#include <array>

#include "http/message.h"

namespace cloister::http {
namespace {

constexpr size_t kMaxTokenBytes = 256;

struct Field {
  std::string_view name, value;
};

// The fields that framing and identity hang on. Each may appear once.
struct Facts {
  std::optional<std::string_view> host, length, encoding, connection, expect;
};

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next line without its CRLF; nothing when no line is left.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// A line that begins with blank space would be a folded value: its name is no token.
std::optional<Field> read_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!is_token(field.name) || !is_field_value(field.value)) return std::nullopt;
  return field;
}

bool once(std::optional<std::string_view>& slot, std::string_view value) {
  if (slot) return false;
  slot = value;
  return true;
}

// Repeated fields of these names would mean one thing to us and another to the next reader.
constexpr std::array<std::string_view, 4> kOtherSingles = {"authorization", "content-type",
                                                           "origin", "cookie"};

Status note(const Field& field, Facts& facts, std::array<bool, kOtherSingles.size()>& seen) {
  bool held = true;
  if (equal_ignoring_case(field.name, "host")) held = once(facts.host, field.value);
  if (equal_ignoring_case(field.name, "content-length")) held = once(facts.length, field.value);
  if (equal_ignoring_case(field.name, "transfer-encoding"))
    held = once(facts.encoding, field.value);
  if (equal_ignoring_case(field.name, "connection")) held = once(facts.connection, field.value);
  if (equal_ignoring_case(field.name, "expect")) held = once(facts.expect, field.value);
  for (size_t i = 0; i < kOtherSingles.size(); ++i) {
    if (!equal_ignoring_case(field.name, kOtherSingles[i])) continue;
    held = !seen[i];
    seen[i] = true;
  }
  if (!held) return std::unexpected(Error::bad_message);
  return {};
}

std::expected<Facts, Error> read_fields(std::string_view rest) {
  Facts facts;
  std::array<bool, kOtherSingles.size()> seen{};
  size_t count = 0;
  while (true) {
    auto line = take_line(rest);
    if (!line) return std::unexpected(Error::bad_message);
    if (line->empty()) break;
    if (++count > kMaxFields) return std::unexpected(Error::head_too_large);
    auto field = read_field(*line);
    if (!field) return std::unexpected(Error::bad_message);
    if (auto held = note(*field, facts, seen); !held) return std::unexpected(held.error());
  }
  if (!rest.empty()) return std::unexpected(Error::bad_message);
  return facts;
}

// Digits only and no leading zero, so that every reader finds the same number.
std::optional<uint64_t> read_length(std::string_view text) {
  constexpr size_t kMaxDigits = 18;
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

bool names_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool wants_keep_alive(const Facts& facts, bool version_1_1) {
  const std::string_view connection = facts.connection.value_or("");
  if (names_token(connection, "close")) return false;
  return version_1_1 || names_token(connection, "keep-alive");
}

// What both directions share: exactly one way to find where the body ends.
std::expected<uint64_t, Error> check_framing(const Facts& facts, bool version_1_1) {
  if (facts.encoding) {
    if (!version_1_1 || facts.length || *facts.encoding != "chunked") {
      return std::unexpected(Error::bad_message);
    }
    return 0;
  }
  if (!facts.length) return 0;
  auto length = read_length(*facts.length);
  if (!length) return std::unexpected(Error::bad_message);
  return *length;
}

struct RequestLine {
  std::string_view method, target;
  bool version_1_1;
};

std::expected<RequestLine, Error> read_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::unexpected(Error::bad_message);
  const std::string_view version = line.substr(last + 1);
  RequestLine out{line.substr(0, first), line.substr(first + 1, last - first - 1),
                  version == "HTTP/1.1"};
  if (!out.version_1_1 && version != "HTTP/1.0") return std::unexpected(Error::bad_message);
  if (!is_token(out.method) || !is_target(out.target)) return std::unexpected(Error::bad_message);
  return out;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_target(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTargetBytes && text.front() == '/' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
         });
}

bool is_method(std::string_view text) {
  return text == "GET" || text == "POST" || text == "DELETE" || text == "OPTIONS";
}

std::expected<std::optional<size_t>, Error> find_head_end(std::string_view arrived,
                                                          size_t& scanned) {
  for (; scanned < arrived.size(); ++scanned) {
    if (scanned >= kMaxHeadBytes) return std::unexpected(Error::head_too_large);
    const char c = arrived[scanned];
    const bool after_cr = scanned > 0 && arrived[scanned - 1] == '\r';
    if (after_cr != (c == '\n')) return std::unexpected(Error::bad_message);
    if (c == '\0' || (scanned == 0 && !is_token_char(c)))
      return std::unexpected(Error::bad_message);
    if (c == '\n' && scanned >= 3 && arrived[scanned - 2] == '\n') return scanned + 1;
  }
  return std::nullopt;
}

std::expected<RequestRules, Error> strict_request(std::string_view head) {
  if (head.size() > kMaxHeadBytes) return std::unexpected(Error::head_too_large);
  std::string_view rest = head;
  auto first = take_line(rest);
  if (!first) return std::unexpected(Error::bad_message);
  auto line = read_request_line(*first);
  if (!line) return std::unexpected(line.error());
  auto facts = read_fields(rest);
  if (!facts) return std::unexpected(facts.error());
  auto length = check_framing(*facts, line->version_1_1);
  if (!length) return std::unexpected(length.error());
  if (line->version_1_1 && !facts->host) return std::unexpected(Error::bad_message);
  if (facts->host && !is_host(*facts->host)) return std::unexpected(Error::bad_message);
  // Only now, so that a hostile head gives the same answer whatever its method.
  if (!is_method(line->method)) return std::unexpected(Error::method_refused);
  const bool chunked = facts->encoding.has_value();
  if (line->method == "GET" && (chunked || *length > 0)) return std::unexpected(Error::bad_message);
  if (facts->expect && !equal_ignoring_case(*facts->expect, "100-continue")) {
    return std::unexpected(Error::expectation_refused);
  }
  return RequestRules{.version_1_1 = line->version_1_1,
                      .keep_alive = wants_keep_alive(*facts, line->version_1_1),
                      .chunked = chunked,
                      .expects_continue = facts->expect.has_value() && line->version_1_1,
                      .body_bytes = *length};
}

std::expected<ResponseRules, Error> strict_response(std::string_view head) {
  if (head.size() > kMaxHeadBytes) return std::unexpected(Error::head_too_large);
  std::string_view rest = head;
  auto line = take_line(rest);
  // "HTTP/1.x NNN" and then nothing or a space and a reason.
  if (!line || line->size() < 12 || !is_field_value(*line) || !line->starts_with("HTTP/1.")) {
    return std::unexpected(Error::bad_message);
  }
  const bool version_1_1 = (*line)[7] == '1';
  if ((!version_1_1 && (*line)[7] != '0') || (*line)[8] != ' ') {
    return std::unexpected(Error::bad_message);
  }
  const auto status = read_length(line->substr(9, 3));
  if (!status || *status < 200 || *status > 599) return std::unexpected(Error::bad_message);
  if (line->size() > 12 && (*line)[12] != ' ') return std::unexpected(Error::bad_message);
  auto facts = read_fields(rest);
  if (!facts) return std::unexpected(facts.error());
  if (auto length = check_framing(*facts, version_1_1); !length) {
    return std::unexpected(length.error());
  }
  const bool framed = facts->encoding || facts->length;
  const bool bodiless = *status == 204 || *status == 304;
  if (bodiless && framed && facts->length.value_or("") != "0")
    return std::unexpected(Error::bad_message);
  // A body that ends with the connection looks whole when it was cut.
  if (!bodiless && !framed) return std::unexpected(Error::bad_message);
  return ResponseRules{.keep_alive = wants_keep_alive(*facts, version_1_1), .has_body = !bodiless};
}

}  // namespace cloister::http
