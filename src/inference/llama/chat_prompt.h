// The conversation as the model was trained to read it: the chat template from the model file.
// Apart from llama_model.h because the library's chat headers are slow to compile.
#pragma once

#include <memory>
#include <string>

#include "inference/engine.h"

struct llama_model;

namespace cloister::inference {

class ChatPrompt {
 public:
  static std::unique_ptr<ChatPrompt> from(
      const llama_model* model);  // null without a usable template
  virtual ~ChatPrompt() = default;

  // From any thread. Nothing when the template refuses the conversation, as some do when roles do
  // not alternate.
  virtual std::optional<UserText> render(const std::vector<ChatMessage>& messages) const = 0;
};

}  // namespace cloister::inference
