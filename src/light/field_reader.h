// Reads fields of parsed JSON; the first that does not have its form spoils the whole. Private to
// this folder's parsers.
#pragma once

#include "base/text.h"
#include "light/json_form.h"

namespace cloister::light {

class FieldReader {
 public:
  int64_t int64(const JsonValue& value) {
    const auto out = int64_from(value);
    if (!out) ok_ = false;
    return out.value_or(0);
  }
  int64_t number(const JsonValue& value, int64_t max) {
    const auto out = value.i64();
    if (!out || *out < 0 || *out > max) ok_ = false;
    return ok_ ? *out : 0;
  }
  std::string text(const JsonValue& value, size_t max_bytes) {
    const auto out = value.string();
    if (!out || out->size() > max_bytes) ok_ = false;
    return ok_ ? std::string(*out) : std::string();
  }
  Buffer hex(const JsonValue& value, size_t max_bytes) {
    const std::string in = text(value, 2 * max_bytes);
    const auto out = from_hex(in);
    if (!out || to_hex_upper(*out) != in) ok_ = false;
    return out.value_or(Buffer());
  }
  Buffer base64(const JsonValue& value, size_t max_bytes) {
    const auto out = from_base64(text(value, 2 * max_bytes + 4));
    if (!out || out->size() > max_bytes) ok_ = false;
    return ok_ ? *out : Buffer();
  }
  // What Go writes as null and as "" are the same empty bytes.
  Buffer base64_or_null(const JsonValue& value, size_t max_bytes) {
    return value.is_null() ? Buffer() : base64(value, max_bytes);
  }
  Timestamp time(const JsonValue& value) {
    const auto out = time_from(text(value, 35));
    if (!out) ok_ = false;
    return out.value_or(Timestamp());
  }
  const JsonValue::Array& list(const JsonValue& value, size_t max_count) {
    static const JsonValue::Array kNone;
    const auto* out = value.array();
    if (!out || out->size() > max_count) ok_ = false;
    return ok_ ? *out : kNone;
  }
  // Go writes an empty list as null.
  const JsonValue::Array& list_or_null(const JsonValue& value, size_t max_count) {
    static const JsonValue::Array kNone;
    return value.is_null() ? kNone : list(value, max_count);
  }
  void demand(bool held) { ok_ = ok_ && held; }
  bool ok() const { return ok_; }

 private:
  bool ok_ = true;
};

}  // namespace cloister::light
