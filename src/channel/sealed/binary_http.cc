#include "channel/sealed/binary_http.h"

#include <algorithm>

#include "channel/sealed/varint.h"

namespace cloister::sealed {
namespace {

constexpr uint64_t kKnownLengthRequest = 0;
constexpr uint64_t kIndeterminateAnswer = 3;
constexpr std::string_view kMethod = "POST", kScheme = "https";
constexpr size_t kMaxFieldSection = kMaxFields * 2 * (kMaxFieldBytes + 2);

void write_text(SecretBuffer& out, std::string_view text) {
  write_varint(out, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

std::optional<std::string_view> read_text(ByteReader& r, size_t max_bytes) {
  const auto size = read_varint(r);
  if (!size || *size > max_bytes) return std::nullopt;
  const auto bytes = r.take(*size);
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

// Lower case, as RFC 9292 wants names, and nothing that could end a line of HTTP/1.1.
bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}
bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::optional<std::vector<Field>> read_fields(Bytes section) {
  std::vector<Field> out;
  ByteReader r(section);
  while (!r.done()) {
    if (out.size() == kMaxFields) return std::nullopt;
    const auto field_name = read_text(r, kMaxFieldBytes);
    const auto value = field_name ? read_text(r, kMaxFieldBytes) : std::nullopt;
    if (!value || !is_name(*field_name) || !is_value(*value)) return std::nullopt;
    out.push_back({std::string(*field_name), std::string(*value)});
  }
  return out;
}

}  // namespace

SecretBuffer encode_request(const BinaryRequest& request) {
  SecretBuffer out, fields;
  for (const Field& field : request.fields) {
    write_text(fields, field.name);
    write_text(fields, field.value);
  }
  out.reserve(request.content.size() + fields.size() + 4 * kMaxFieldBytes);
  write_varint(out, kKnownLengthRequest);
  for (std::string_view text : {kMethod, kScheme}) write_text(out, text);
  write_text(out, request.authority);
  write_text(out, request.path);
  write_text(out, as_text(fields));
  write_text(out, as_text(request.content));
  write_varint(out, 0);  // trailers
  return out;
}

Result<BinaryRequest> decode_request(Bytes encoded) {
  const auto malformed = std::unexpected(SealedError::inner_malformed);
  ByteReader r(encoded);
  if (read_varint(r) != kKnownLengthRequest) return malformed;
  if (read_text(r, kMethod.size()) != kMethod) return malformed;
  if (read_text(r, kScheme.size()) != kScheme) return malformed;
  const auto authority = read_text(r, kMaxFieldBytes);
  const auto path = authority ? read_text(r, kMaxFieldBytes) : std::nullopt;
  const auto section = path ? read_text(r, kMaxFieldSection) : std::nullopt;
  const auto fields = section ? read_fields(as_bytes(*section)) : std::nullopt;
  const auto content = fields ? read_text(r, encoded.size()) : std::nullopt;
  if (!content || read_varint(r) != 0) return malformed;
  if (!is_value(*authority) || !is_value(*path)) return malformed;
  if (!all_zero(r.rest())) return std::unexpected(SealedError::padding_malformed);
  return BinaryRequest{std::string(*authority), std::string(*path), *fields, as_bytes(*content)};
}

SecretBuffer encode_answer_head(unsigned status) {
  SecretBuffer out;
  write_varint(out, kIndeterminateAnswer);
  write_varint(out, status);
  write_varint(out, 0);  // the end of the fields
  return out;
}

void encode_content(Bytes content, SecretBuffer& out) {
  write_varint(out, content.size());
  out.insert(out.end(), content.begin(), content.end());
}

void encode_answer_end(SecretBuffer& out) {
  write_varint(out, 0);  // the end of the content
  write_varint(out, 0);  // and of the trailers
}

Result<void> AnswerReader::feed(Bytes more, SecretBuffer& content) {
  pending_.insert(pending_.end(), more.begin(), more.end());
  for (;;) {
    auto stepped = step(content);
    if (!stepped) return std::unexpected(stepped.error());
    if (!*stepped) break;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(at_));
  at_ = 0;
  return {};
}

Result<bool> AnswerReader::step(SecretBuffer& content) {
  ByteReader r(Bytes(pending_).subspan(at_));
  const size_t before = r.remaining();
  auto advance = [&](State next) {
    at_ += before - r.remaining();
    state_ = next;
    return true;
  };
  switch (state_) {
    case State::head: {
      const auto form = read_varint(r);
      const auto status = form ? read_varint(r) : std::nullopt;
      const auto end_of_fields = status ? read_varint(r) : std::nullopt;
      if (!end_of_fields) return false;
      if (*form != kIndeterminateAnswer || *end_of_fields != 0) break;
      if (*status != 200) return std::unexpected(SealedError::answer_refused);
      return advance(State::chunk_size);
    }
    case State::chunk_size: {
      const auto size = read_varint(r);
      if (!size) return false;
      left_ = *size;
      return advance(*size == 0 ? State::trailer : State::chunk);
    }
    case State::chunk: {
      const auto bytes = *r.take(static_cast<size_t>(std::min<uint64_t>(left_, before)));
      if (bytes.empty()) return false;
      content.insert(content.end(), bytes.begin(), bytes.end());
      left_ -= bytes.size();
      return advance(left_ == 0 ? State::chunk_size : State::chunk);
    }
    case State::trailer: {
      const auto end = read_varint(r);
      if (!end) return false;
      if (*end != 0) break;
      return advance(State::padding);
    }
    case State::padding: {
      if (before == 0) return false;
      if (!all_zero(r.rest())) return std::unexpected(SealedError::padding_malformed);
      (void)r.take(before);
      return advance(State::padding);
    }
  }
  return std::unexpected(SealedError::inner_malformed);
}

}  // namespace cloister::sealed
