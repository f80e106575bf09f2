// How records become CBOR and JSON. For the source files of this folder that define records: they
// end with `template struct Record<X>;` for each.
#pragma once

#include <limits>

#include "base/cbor.h"
#include "base/text.h"
#include "ledger/types/enums.h"
#include "ledger/types/record.h"

namespace cloister::ledger::codec {

template <typename T>
struct Traits {
  static constexpr bool is_fixed = false, is_vector = false, is_optional = false;
};
template <size_t N>
struct Traits<Fixed<N>> {
  static constexpr bool is_fixed = true, is_vector = false, is_optional = false;
};
template <typename T>
struct Traits<std::vector<T>> {
  static constexpr bool is_fixed = false, is_vector = true, is_optional = false;
};
template <typename T>
struct Traits<std::optional<T>> {
  static constexpr bool is_fixed = false, is_vector = false, is_optional = true;
};

template <typename T>
concept Text = std::same_as<T, std::string>;
template <typename T>
concept Raw = std::same_as<T, Buffer> || Traits<T>::is_fixed;
template <typename T>
concept List = Traits<T>::is_vector && !std::same_as<T, Buffer>;
template <typename T>
concept Maybe = Traits<T>::is_optional;
template <typename T>
concept Number = std::unsigned_integral<T> && !std::same_as<T, bool>;
template <typename T>
concept Listed = std::is_enum_v<T>;

struct Counter {
  size_t count = 0;
  template <typename... Any>
  void operator()(uint64_t key, Any&&...) {
    if (key != ++count) std::abort();  // keys are 1, 2, 3, …
  }
};

class CborEncoder {
 public:
  explicit CborEncoder(CborWriter& out) : out_(out) {}

  template <typename T, typename... Bounds>
  void operator()(uint64_t key, const char*, const T& value, Bounds...) {
    out_.key(key);
    item(value);
  }
  template <typename T>
  void record(const T& value) {
    Counter counter;
    T::fields(value, counter);
    out_.map(counter.count);
    T::fields(value, *this);
  }

 private:
  template <typename T>
  void item(const T& value) {
    if constexpr (std::same_as<T, bool>)
      out_.boolean(value);
    else if constexpr (Listed<T>)
      out_.u64(static_cast<uint64_t>(value));
    else if constexpr (Number<T>)
      out_.u64(value);
    else if constexpr (Text<T>)
      out_.text(value);
    else if constexpr (Raw<T>)
      out_.bytes(value);
    else if constexpr (Maybe<T>) {
      out_.array(value ? 1 : 0);
      if (value) item(*value);
    } else if constexpr (List<T>) {
      out_.array(value.size());
      for (const auto& each : value) item(each);
    } else
      record(value);
  }
  CborWriter& out_;
};

class CborDecoder {
 public:
  explicit CborDecoder(CborReader& in) : in_(in) {}

  template <typename T, typename... Bounds>
  void operator()(uint64_t key, const char*, T& value, Bounds... bounds) {
    in_.key(key);
    item(value, bounds...);
  }
  template <typename T>
  void record(T& value) {
    Counter counter;
    T::fields(value, counter);
    in_.map(counter.count);
    T::fields(value, *this);
  }

 private:
  template <typename T>
  void item(T& value) {
    if constexpr (std::same_as<T, bool>)
      value = in_.boolean();
    else if constexpr (Listed<T>) {
      value = static_cast<T>(in_.u64(std::numeric_limits<std::underlying_type_t<T>>::max()));
      if (!known(value)) in_.fail();
    } else if constexpr (Number<T>) {
      value = static_cast<T>(in_.u64(std::numeric_limits<T>::max()));
    } else if constexpr (Traits<T>::is_fixed) {
      value = in_.fixed<std::tuple_size_v<T>>();
    } else
      record(value);
  }
  void item(std::string& value, size_t max_bytes) { value = in_.text(max_bytes); }
  void item(Buffer& value, size_t max_bytes) { value = to_buffer(in_.bytes(max_bytes)); }
  template <typename T, typename... Bounds>
  void item(std::optional<T>& value, Bounds... bounds) {
    value.reset();
    if (in_.array(1) == 1) item(value.emplace(), bounds...);
  }
  template <typename T, typename... Bounds>
  void item(std::vector<T>& value, size_t max_count, Bounds... bounds) {
    value.clear();
    const size_t count = in_.array(max_count);
    for (size_t i = 0; i < count && in_.ok(); ++i) item(value.emplace_back(), bounds...);
  }
  CborReader& in_;
};

class JsonEncoder {
 public:
  template <typename T, typename... Bounds>
  void operator()(uint64_t, const char* key, const T& value, Bounds...) {
    out_.set(key, item(value));
  }
  template <typename T>
  static JsonValue record(const T& value) {
    JsonEncoder encoder;
    T::fields(value, encoder);
    return std::move(encoder.out_);
  }

 private:
  template <typename T>
  static JsonValue item(const T& value) {
    if constexpr (std::same_as<T, bool> || Number<T> || Text<T>)
      return JsonValue(value);
    else if constexpr (Listed<T>)
      return JsonValue(name(value));
    else if constexpr (Raw<T>)
      return JsonValue(to_hex(value));
    else if constexpr (Maybe<T>)
      return value ? item(*value) : JsonValue();
    else if constexpr (List<T>) {
      JsonValue list = JsonValue::Array{};
      for (const auto& each : value) list.push(item(each));
      return list;
    } else
      return record(value);
  }
  JsonValue out_ = JsonValue::Object{};
};

class JsonDecoder {
 public:
  explicit JsonDecoder(const JsonValue& in) : in_(in) {}

  template <typename T, typename... Bounds>
  void operator()(uint64_t, const char* key, T& value, Bounds... bounds) {
    ++count_;
    const JsonValue* member = in_.find(key);
    ok_ = ok_ && member && item(*member, value, bounds...);
  }
  template <typename T>
  static bool record(const JsonValue& in, T& value) {
    JsonDecoder decoder(in);
    T::fields(value, decoder);
    return decoder.ok_ && in.members()->size() == decoder.count_;  // no unknown members
  }

 private:
  template <typename T>
  static bool take(std::optional<T> from, T& to) {
    if (from) to = *from;
    return from.has_value();
  }
  template <typename T>
  static bool item(const JsonValue& in, T& value) {
    if constexpr (std::same_as<T, bool>)
      return take(in.boolean(), value);
    else if constexpr (Listed<T>)
      return listed(in, value);
    else if constexpr (Number<T>) {
      const auto number = in.u64();
      if (!number || *number > std::numeric_limits<T>::max()) return false;
      value = static_cast<T>(*number);
      return true;
    } else if constexpr (Traits<T>::is_fixed) {
      const auto text = in.string();
      return text && take(fixed_from_hex<std::tuple_size_v<T>>(*text), value);
    } else
      return record(in, value);
  }
  template <typename T>
  static bool listed(const JsonValue& in, T& value) {
    const auto text = in.string();
    constexpr unsigned kMax = std::numeric_limits<std::underlying_type_t<T>>::max();
    static_assert(kMax <= 255, "lists of the ledger fit a byte");
    for (unsigned i = 0; text && !text->empty() && i <= kMax; ++i) {
      if (name(static_cast<T>(i)) == *text) return value = static_cast<T>(i), true;
    }
    return false;
  }
  static bool item(const JsonValue& in, std::string& value, size_t max_bytes) {
    const auto text = in.string();
    if (!text || text->size() > max_bytes) return false;
    value = *text;
    return true;
  }
  static bool item(const JsonValue& in, Buffer& value, size_t max_bytes) {
    const auto text = in.string();
    if (!text || text->size() > 2 * max_bytes) return false;
    return take(from_hex(*text), value);
  }
  template <typename T, typename... Bounds>
  static bool item(const JsonValue& in, std::optional<T>& value, Bounds... bounds) {
    value.reset();
    return in.is_null() || item(in, value.emplace(), bounds...);
  }
  template <typename T, typename... Bounds>
  static bool item(const JsonValue& in, std::vector<T>& value, size_t max_count, Bounds... bounds) {
    value.clear();
    if (!in.array() || in.array()->size() > max_count) return false;
    for (const JsonValue& each : *in.array()) {
      if (!item(each, value.emplace_back(), bounds...)) return false;
    }
    return true;
  }
  const JsonValue& in_;
  size_t count_ = 0;
  bool ok_ = true;
};

}  // namespace cloister::ledger::codec

namespace cloister::ledger {

template <typename T>
Buffer Record<T>::encode() const {
  CborWriter out;
  codec::CborEncoder(out).record(static_cast<const T&>(*this));
  return out.take();
}

template <typename T>
std::optional<T> Record<T>::decode(Bytes bytes) {
  CborReader in(bytes);
  std::optional<T> value(std::in_place);
  codec::CborDecoder(in).record(*value);
  return in.finish() ? std::move(value) : std::nullopt;
}

template <typename T>
JsonValue Record<T>::to_json() const {
  return codec::JsonEncoder::record(static_cast<const T&>(*this));
}

template <typename T>
std::optional<T> Record<T>::from_json(const JsonValue& v) {
  std::optional<T> value(std::in_place);
  if (!v.is_object() || !codec::JsonDecoder::record(v, *value)) return std::nullopt;
  return value;
}

}  // namespace cloister::ledger
