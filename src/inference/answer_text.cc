#include "inference/answer_text.h"

#include <algorithm>

#include "base/cbor.h"

namespace cloister::inference {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// By the first byte alone; 0 when no character begins so.
size_t length_of_character(char first) {
  const auto byte = static_cast<uint8_t>(first);
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  return 0;
}

std::string_view view(const std::vector<char, WipingAllocator<char>>& text) {
  return {text.data(), text.size()};
}

bool only_continuation(std::string_view bytes) {
  return std::ranges::all_of(bytes,
                             [](char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; });
}

}  // namespace

UserText AnswerText::add(std::string_view piece) {
  if (met_stop_) return {};
  raw_.insert(raw_.end(), piece.begin(), piece.end());
  take_characters(false);
  size_t first = std::string_view::npos;
  for (const UserText& stop : stops_) first = std::min(first, view(held_).find(stop.reveal()));
  if (first != std::string_view::npos) {
    met_stop_ = true;
    return release(first);
  }
  return release(held_.size() - begins_a_stop());
}

UserText AnswerText::finish() {
  if (met_stop_) return {};
  take_characters(true);
  return release(held_.size());
}

void AnswerText::take_characters(bool at_end) {
  size_t at = 0;
  while (at < raw_.size()) {
    const size_t length = length_of_character(raw_[at]);
    const std::string_view rest = view(raw_).substr(at);
    if (!at_end && length > rest.size() && only_continuation(rest.substr(1))) break;
    const bool valid = length != 0 && length <= rest.size() && valid_utf8(rest.substr(0, length));
    const std::string_view character = valid ? rest.substr(0, length) : kReplacement;
    held_.insert(held_.end(), character.begin(), character.end());
    at += valid ? length : 1;
  }
  raw_.erase(raw_.begin(), raw_.begin() + static_cast<ptrdiff_t>(at));
}

UserText AnswerText::release(size_t size_bytes) {
  UserText out(view(held_).substr(0, size_bytes));
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(size_bytes));
  return out;
}

size_t AnswerText::begins_a_stop() const {
  size_t longest = 0;
  const std::string_view held = view(held_);
  for (const UserText& stop : stops_) {
    for (size_t size = std::min(held.size(), stop.size_bytes() - 1); size > longest; --size) {
      if (held.ends_with(stop.reveal().substr(0, size))) longest = size;
    }
  }
  return longest;
}

}  // namespace cloister::inference
