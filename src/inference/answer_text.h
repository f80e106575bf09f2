// Turns the pieces that tokens stand for into text that may be handed over: whole UTF-8 characters,
// and nothing that could still become a stop text.
#pragma once

#include "base/secret.h"

namespace cloister::inference {

class AnswerText {
 public:
  // `stops` are valid UTF-8 and not empty; they must outlive this.
  explicit AnswerText(const std::vector<UserText>& stops) : stops_(stops) {}

  // What may be handed over after one more piece; often nothing. Bytes that cannot become UTF-8
  // come out as U+FFFD. Nothing more comes once a stop text was met.
  UserText add(std::string_view piece);
  bool met_stop() const { return met_stop_; }

  // The end: what was held back for a character or a stop text that did not come.
  UserText finish();

 private:
  using Text = std::vector<char, WipingAllocator<char>>;

  void take_characters(bool at_end);
  UserText release(size_t size_bytes);
  size_t begins_a_stop() const;  // how many bytes at the end of held_ do

  const std::vector<UserText>& stops_;
  Text raw_;   // not yet a character
  Text held_;  // characters, not handed over
  bool met_stop_ = false;
};

}  // namespace cloister::inference
