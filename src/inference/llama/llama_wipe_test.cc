// What a conversation leaves in memory, asked of the whole process.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "inference/batch_engine.h"
#include "inference/default_model.h"
#include "inference/llama/llama_model.h"

namespace cloister::inference {
namespace {

// The bytes to look for, kept inverted so that the search does not find its own needle.
class Needle {
 public:
  explicit Needle(Bytes bytes) : inverted_(to_buffer(bytes)) {
    for (uint8_t& b : inverted_) b = static_cast<uint8_t>(~b);
  }
  bool at(const uint8_t* place) const {
    for (size_t i = 0; i < inverted_.size(); ++i) {
      if (place[i] != static_cast<uint8_t>(~inverted_[i])) return false;
    }
    return true;
  }
  size_t size() const { return inverted_.size(); }

 private:
  Buffer inverted_;
};

// How often the writable memory of this process holds the needle.
size_t count_in_memory(const Needle& needle) {
  std::ifstream maps("/proc/self/maps");
  size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with("rw")) continue;
    const auto* at = reinterpret_cast<const uint8_t*>(begin);
    const auto* last = reinterpret_cast<const uint8_t*>(end) - needle.size();
    for (; at <= last; ++at) found += size_t{needle.at(at)};
  }
  return found;
}

std::unique_ptr<LlamaModel> load_model(uint32_t slots) {
  const auto file = load_model_file(default_model_path(), default_model());
  if (!file) return nullptr;
  return LlamaModel::load(*file, {.slots = slots, .context_tokens = 256, .threads = 1}).value();
}

TEST(LlamaModel, ForgettingASlotOverwritesItsCellsAndNoOthers) {
  if (!std::filesystem::exists(default_model_path())) {
    GTEST_SKIP() << "no default model: run scripts/fetch_model";
  }
  const auto model = load_model(2);
  ASSERT_TRUE(model);
  Batch batch;
  for (uint32_t slot : {0u, 1u}) {
    for (uint32_t i = 0; i < 32; ++i) {
      batch.push_back({static_cast<Token>(1000 + slot * 500 + i * 7), i, slot, i == 31});
    }
  }
  ASSERT_TRUE(model->decode(batch));
  llama_context* context = model->context_for_testing();
  std::vector<Needle> needles;
  for (llama_seq_id slot : {0, 1}) {
    SecretBuffer state(llama_state_seq_get_size(context, slot));
    ASSERT_EQ(llama_state_seq_get_data(context, state.data(), state.size(), slot), state.size());
    needles.emplace_back(Bytes(state).subspan(state.size() / 4, 96));  // keys of a middle layer
  }
  EXPECT_GE(count_in_memory(needles[0]), 1u);
  EXPECT_GE(count_in_memory(needles[1]), 1u);
  model->forget(0);
  EXPECT_EQ(count_in_memory(needles[0]), 0u);
  EXPECT_GE(count_in_memory(needles[1]), 1u);
}

TEST(LlamaModel, AnAnswerLeavesNoneOfItsPromptInMemory) {
  if (!std::filesystem::exists(default_model_path())) {
    GTEST_SKIP() << "no default model: run scripts/fetch_model";
  }
  auto model = load_model(1);
  ASSERT_TRUE(model);
  BatchEngine engine({}, std::move(model), 4);
  std::string marker = "zq";
  for (int i = 0; i < 20; ++i) marker += static_cast<char>('a' + (i * 7 + 3) % 26);
  const Needle needle(as_bytes(marker));
  GenerateRequest request;
  request.messages.push_back({Role::user, UserText("Repeat: " + marker)});
  request.max_tokens = 4;
  ASSERT_TRUE(engine.generate(request, [](const UserText&) { return true; }));
  request.messages.clear();
  wipe(marker.data(), marker.size());
  EXPECT_EQ(count_in_memory(needle), 0u);
}

}  // namespace
}  // namespace cloister::inference
