// Strict JSON in (RFC 8259 without its liberties) and JSON out.
//
// Refused: duplicate keys, numbers outside 64 bits or not finite, depth over 32, invalid UTF-8,
// lone surrogates, comments, byte order marks, anything after the value, sizes past the limits. An
// error names the rule and the position, never the input, which may be a user's text. Strings wipe
// themselves.
#pragma once

#include <expected>
#include <memory>
#include <utility>
#include <variant>

#include "base/secret.h"

namespace cloister {

struct JsonLimits {
  size_t max_bytes = 1 << 20;
  size_t max_values = 100'000;  // scalars, arrays, objects and keys together
  size_t max_members = 1024;    // of one object: each key is compared with those before it
};

enum class JsonError { too_large, too_deep, too_many_values, duplicate_key, bad_number, syntax };
std::string_view describe(JsonError error);

struct JsonFault {
  JsonError error;
  size_t offset;  // bytes from the start, approximate
};

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Member = std::pair<std::string, JsonValue>;
  using Object = std::vector<Member>;  // in order of appearance
  using Text = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

  JsonValue() = default;  // null
  JsonValue(bool v) : value_(v) {}
  JsonValue(double v) : value_(v) {}
  JsonValue(std::string_view v) : value_(Text(v)) {}
  JsonValue(const std::string& v) : JsonValue(std::string_view(v)) {}
  JsonValue(const char* v) : JsonValue(std::string_view(v)) {}
  JsonValue(Array v) : value_(std::move(v)) {}
  JsonValue(Object v) : value_(std::move(v)) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonValue(T v) {
    if constexpr (std::is_signed_v<T>) {
      value_ = int64_t{v};
    } else {
      value_ = uint64_t{v};
    }
  }
  static JsonValue object(std::initializer_list<Member> members) { return Object(members); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_string() const { return std::holds_alternative<Text>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_number() const;

  // Each returns nothing when the value is of another kind or out of range.
  std::optional<bool> boolean() const;
  std::optional<uint64_t> u64() const;
  std::optional<int64_t> i64() const;
  std::optional<double> number() const;
  std::optional<std::string_view> string() const;
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* members() const { return std::get_if<Object>(&value_); }

  const JsonValue* find(std::string_view key) const;  // null when absent or not an object
  // Member access for chains: a shared null value when absent.
  const JsonValue& operator[](std::string_view key) const;

  JsonValue& set(std::string_view key, JsonValue value);  // this must be null or an object
  JsonValue& push(JsonValue value);                       // this must be null or an array

  std::string dump() const;         // compact, members in their order
  std::string dump_pretty() const;  // two spaces

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, Text, Array, Object> value_;
};

std::expected<JsonValue, JsonFault> parse_json(std::string_view text,
                                               const JsonLimits& limits = {});

// The exact bytes of a member of the top-level object, as received: what a vendor signed. `text`
// must have passed parse_json.
std::optional<std::string_view> raw_member(std::string_view text, std::string_view key);

}  // namespace cloister
