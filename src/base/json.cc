#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/src.hpp>  // here alone: the library without its shared object
#include <cmath>

namespace cloister {
namespace {

namespace bj = boost::json;

// Builds the value from the parser's events. `fault` is set when our rules refuse what JSON allows.
class Builder {
 public:
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_key_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;

  JsonLimits limits;
  std::optional<JsonError> fault;
  JsonValue result;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code& ec) { return open(JsonValue::Object{}, ec); }
  bool on_array_begin(bj::error_code& ec) { return open(JsonValue::Array{}, ec); }
  bool on_object_end(size_t, bj::error_code& ec) { return close(ec); }
  bool on_array_end(size_t, bj::error_code& ec) { return close(ec); }
  bool on_key_part(bj::string_view part, size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, size_t, bj::error_code& ec) {
    text_.append(part.data(), part.size());
    std::string key(text_.begin(), text_.end());
    text_.clear();
    if (!count(ec)) return false;
    if (stack_.back().members()->size() >= limits.max_members) {
      return refuse(JsonError::too_many_values, ec);
    }
    if (stack_.back().find(key) != nullptr) return refuse(JsonError::duplicate_key, ec);
    keys_.push_back(std::move(key));
    return true;
  }
  bool on_string_part(bj::string_view part, size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, size_t, bj::error_code& ec) {
    text_.append(part.data(), part.size());
    JsonValue value{std::string_view(text_)};
    text_.clear();
    return add(std::move(value), ec);
  }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t v, bj::string_view, bj::error_code& ec) { return add(v, ec); }
  bool on_uint64(uint64_t v, bj::string_view, bj::error_code& ec) { return add(v, ec); }
  bool on_double(double v, bj::string_view, bj::error_code& ec) {
    // Integers past 64 bits arrive here too; both those and 1e400 would silently change value.
    if (!std::isfinite(v) || std::fabs(v) >= 9.2e18) return refuse(JsonError::bad_number, ec);
    return add(v, ec);
  }
  bool on_bool(bool v, bj::error_code& ec) { return add(v, ec); }
  bool on_null(bj::error_code& ec) { return add(JsonValue{}, ec); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  bool refuse(JsonError error, bj::error_code& ec) {
    fault = error;
    ec = bj::error::syntax;
    return false;
  }
  bool count(bj::error_code& ec) {
    if (++values_ > limits.max_values) return refuse(JsonError::too_many_values, ec);
    return true;
  }
  bool open(JsonValue container, bj::error_code& ec) {
    if (!count(ec)) return false;
    stack_.push_back(std::move(container));
    return true;
  }
  bool close(bj::error_code&) {
    JsonValue done = std::move(stack_.back());
    stack_.pop_back();
    place(std::move(done));
    return true;
  }
  bool add(JsonValue value, bj::error_code& ec) {
    if (!count(ec)) return false;
    place(std::move(value));
    return true;
  }
  void place(JsonValue value) {
    if (stack_.empty()) {
      result = std::move(value);
    } else if (stack_.back().is_array()) {
      stack_.back().push(std::move(value));
    } else {
      stack_.back().set(keys_.back(), std::move(value));
      keys_.pop_back();
    }
  }

  size_t values_ = 0;
  std::vector<JsonValue> stack_;
  std::vector<std::string> keys_;
  JsonValue::Text text_;
};

void write_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void break_line(std::string& out, int indent) {
  if (indent < 0) return;
  out.push_back('\n');
  out.append(static_cast<size_t>(indent) * 2, ' ');
}

// indent < 0: compact.
void write(std::string& out, const JsonValue& value, int indent) {
  int inner = indent < 0 ? indent : indent + 1;
  if (auto text = value.string()) return write_string(out, *text);
  if (auto array = value.array()) {
    out.push_back('[');
    for (size_t i = 0; i < array->size(); ++i) {
      if (i != 0) out.push_back(',');
      break_line(out, inner);
      write(out, (*array)[i], inner);
    }
    if (!array->empty()) break_line(out, indent);
    out.push_back(']');
  } else if (auto members = value.members()) {
    out.push_back('{');
    for (size_t i = 0; i < members->size(); ++i) {
      if (i != 0) out.push_back(',');
      break_line(out, inner);
      write_string(out, (*members)[i].first);
      out += indent < 0 ? ":" : ": ";
      write(out, (*members)[i].second, inner);
    }
    if (!members->empty()) break_line(out, indent);
    out.push_back('}');
  } else if (auto flag = value.boolean()) {
    out += *flag ? "true" : "false";
  } else if (auto i = value.i64()) {
    out += fmt::format("{}", *i);
  } else if (auto u = value.u64()) {
    out += fmt::format("{}", *u);
  } else if (auto d = value.number()) {
    out += fmt::format("{}", *d);
  } else {
    out += "null";
  }
}

}  // namespace

std::string_view describe(JsonError error) {
  switch (error) {
    case JsonError::too_large:
      return "the document is larger than allowed";
    case JsonError::too_deep:
      return "the document is nested too deeply";
    case JsonError::too_many_values:
      return "the document holds too many values";
    case JsonError::duplicate_key:
      return "an object names a key twice";
    case JsonError::bad_number:
      return "a number does not fit in 64 bits";
    case JsonError::syntax:
      return "the document is not valid JSON";
  }
  std::abort();
}

bool JsonValue::is_number() const {
  return std::holds_alternative<int64_t>(value_) || std::holds_alternative<uint64_t>(value_) ||
         std::holds_alternative<double>(value_);
}

std::optional<bool> JsonValue::boolean() const {
  if (auto v = std::get_if<bool>(&value_)) return *v;
  return std::nullopt;
}

std::optional<uint64_t> JsonValue::u64() const {
  if (auto v = std::get_if<uint64_t>(&value_)) return *v;
  if (auto v = std::get_if<int64_t>(&value_); v && *v >= 0) return static_cast<uint64_t>(*v);
  return std::nullopt;
}

std::optional<int64_t> JsonValue::i64() const {
  if (auto v = std::get_if<int64_t>(&value_)) return *v;
  if (auto v = std::get_if<uint64_t>(&value_); v && *v <= INT64_MAX)
    return static_cast<int64_t>(*v);
  return std::nullopt;
}

std::optional<double> JsonValue::number() const {
  if (auto v = std::get_if<double>(&value_)) return *v;
  if (auto v = i64()) return static_cast<double>(*v);
  if (auto v = u64()) return static_cast<double>(*v);
  return std::nullopt;
}

std::optional<std::string_view> JsonValue::string() const {
  if (auto v = std::get_if<Text>(&value_)) return std::string_view(*v);
  return std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view key) const {
  auto object = members();
  if (object == nullptr) return nullptr;
  auto it = std::ranges::find(*object, key, &Member::first);
  return it == object->end() ? nullptr : &it->second;
}

const JsonValue& JsonValue::operator[](std::string_view key) const {
  static const JsonValue kNull;
  auto found = find(key);
  return found != nullptr ? *found : kNull;
}

JsonValue& JsonValue::set(std::string_view key, JsonValue value) {
  if (is_null()) value_ = Object{};
  auto& object = std::get<Object>(value_);
  auto it = std::ranges::find(object, key, &Member::first);
  if (it != object.end()) {
    it->second = std::move(value);
  } else {
    object.emplace_back(std::string(key), std::move(value));
  }
  return *this;
}

JsonValue& JsonValue::push(JsonValue value) {
  if (is_null()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string JsonValue::dump() const {
  std::string out;
  write(out, *this, -1);
  return out;
}

std::string JsonValue::dump_pretty() const {
  std::string out;
  write(out, *this, 0);
  return out;
}

std::expected<JsonValue, JsonFault> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) return std::unexpected(JsonFault{JsonError::too_large, 0});
  bj::basic_parser<Builder> parser{bj::parse_options{}};  // depth 32, strict UTF-8, no comments
  parser.handler().limits = limits;
  bj::error_code ec;
  size_t used = parser.write_some(false, text.data(), text.size(), ec);
  auto& built = parser.handler();
  if (built.fault) return std::unexpected(JsonFault{*built.fault, used});
  if (ec == bj::error::too_deep) return std::unexpected(JsonFault{JsonError::too_deep, used});
  if (ec || used != text.size()) return std::unexpected(JsonFault{JsonError::syntax, used});
  return std::move(built.result);
}

std::optional<std::string_view> raw_member(std::string_view text, std::string_view key) {
  const std::string quoted = '"' + std::string(key) + '"';
  int depth = 0;
  bool in_string = false;
  size_t string_start = 0, value_start = 0;
  bool matched = false;      // the key has been read at depth 1
  bool key_position = true;  // at depth 1, the next string is a key
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
        if (depth == 1 && key_position &&
            text.substr(string_start, i + 1 - string_start) == quoted) {
          matched = true;
        }
      }
      continue;
    }
    if (c == '"') in_string = true, string_start = i;
    if (depth == 1 && c == ':') key_position = false, value_start = i + 1;
    bool ends = depth == 1 && (c == ',' || c == '}');
    if (ends && matched) {
      auto raw = text.substr(value_start, i - value_start);
      constexpr std::string_view kSpace = " \t\r\n";
      auto first = raw.find_first_not_of(kSpace), last = raw.find_last_not_of(kSpace);
      if (first == std::string_view::npos) return std::nullopt;
      return raw.substr(first, last - first + 1);
    }
    if (ends) key_position = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return std::nullopt;
}

}  // namespace cloister
