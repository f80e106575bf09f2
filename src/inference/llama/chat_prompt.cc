#include "inference/llama/chat_prompt.h"

#include <chat.h>
#include <log.h>

#include <exception>

namespace cloister::inference {
namespace {

const char* name_of(Role role) {
  switch (role) {
    case Role::system:
      return "system";
    case Role::user:
      return "user";
    case Role::assistant:
      return "assistant";
  }
  return "user";
}

// The library works with plain strings: those that this code can reach are wiped, the template
// engine's own copies are not.
class PlainInputs {
 public:
  explicit PlainInputs(const std::vector<ChatMessage>& messages) {
    inputs_.messages.resize(messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      inputs_.messages[i].role = name_of(messages[i].role);
      inputs_.messages[i].content = messages[i].content.reveal();
    }
    inputs_.force_pure_content = true;
  }
  PlainInputs(const PlainInputs&) = delete;
  PlainInputs& operator=(const PlainInputs&) = delete;
  ~PlainInputs() {
    for (auto& message : inputs_.messages) wipe(message.content.data(), message.content.size());
  }
  const common_chat_templates_inputs& get() const { return inputs_; }

 private:
  common_chat_templates_inputs inputs_;
};

class TemplatePrompt final : public ChatPrompt {
 public:
  explicit TemplatePrompt(common_chat_templates_ptr templates) : templates_(std::move(templates)) {}

  std::optional<UserText> render(const std::vector<ChatMessage>& messages) const override {
    const PlainInputs inputs(messages);
    try {
      common_chat_params rendered = common_chat_templates_apply(templates_.get(), inputs.get());
      UserText prompt(rendered.prompt);
      wipe(rendered.prompt.data(), rendered.prompt.size());
      return prompt;
    } catch (const std::exception&) {  // its text may quote the conversation
      return std::nullopt;
    }
  }

 private:
  common_chat_templates_ptr templates_;
};

}  // namespace

std::unique_ptr<ChatPrompt> ChatPrompt::from(const llama_model* model) {
  common_log_set_verbosity_thold(-1);  // it would log prompts
  try {
    auto templates = common_chat_templates_init(model, "");
    if (!templates || !common_chat_templates_was_explicit(templates.get())) return nullptr;
    return std::make_unique<TemplatePrompt>(std::move(templates));
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace cloister::inference
