// Keys and texts of users. Neither type can be printed, compared by accident or left behind in
// memory.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace cloister {

// Overwrites memory in a way that the compiler may not remove.
void wipe(void* data, size_t size_bytes);

// True when equal; the time depends on the sizes only.
bool equal_constant_time(Bytes a, Bytes b);

// Wipes what it frees.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(size_t count) { return std::allocator<T>{}.allocate(count); }
  void deallocate(T* data, size_t count) {
    wipe(data, count * sizeof(T));
    std::allocator<T>{}.deallocate(data, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

using SecretBuffer = std::vector<uint8_t, WipingAllocator<uint8_t>>;

// N secret bytes. Movable, wiped on destruction; `reveal` marks each place that uses the value.
template <size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(const Fixed<N>& value) : value_(value) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : value_(other.value_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      value_ = other.value_;
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  std::span<const uint8_t, N> reveal() const { return value_; }
  std::span<uint8_t, N> reveal_mutable() { return value_; }
  Secret clone() const { return Secret(value_); }

 private:
  void clear() { wipe(value_.data(), N); }
  Fixed<N> value_{};
};

// Text of a user: a prompt or an answer. It has no formatter, no stream operator and no implicit
// conversion; `reveal` is the only way to the characters and must never reach a log, an error or a
// disk.
class UserText {
 public:
  UserText() = default;
  explicit UserText(std::string_view text) : text_(text.begin(), text.end()) {}
  UserText(const UserText&) = delete;
  UserText& operator=(const UserText&) = delete;
  UserText(UserText&&) noexcept = default;
  UserText& operator=(UserText&&) noexcept = default;

  std::string_view reveal() const { return {text_.data(), text_.size()}; }
  void append(std::string_view more) { text_.insert(text_.end(), more.begin(), more.end()); }
  size_t size_bytes() const { return text_.size(); }
  bool empty() const { return text_.empty(); }
  UserText clone() const { return UserText(reveal()); }

 private:
  std::vector<char, WipingAllocator<char>> text_;
};

}  // namespace cloister
