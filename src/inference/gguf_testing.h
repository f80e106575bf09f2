// Writes small GGUF files for tests.
#pragma once

#include "inference/gguf.h"

namespace cloister::inference {

// A metadata value with its type: {8, …} for a string and so on, as bytes after the type.
struct GgufKey {
  std::string key;
  uint32_t type;
  Buffer value;
};
Buffer gguf_string(std::string_view text);
Buffer gguf_u32(uint32_t value);

struct GgufPart {  // a tensor
  std::string name;
  std::vector<uint64_t> shape;
  uint32_t type = 0;
  Buffer data;
  std::optional<uint64_t> offset;  // unset: where it belongs
};

struct GgufDraft {
  uint32_t version = 3;
  std::vector<GgufKey> keys;
  std::vector<GgufPart> tensors;
  uint32_t alignment = 32;
  uint8_t padding = 0;
  std::optional<uint64_t> claimed_tensors;
  std::optional<uint64_t> claimed_keys;
};
GgufDraft small_model();  // one F32 and one Q4_1 tensor, a name, a licence, a template
Buffer write_gguf(const GgufDraft& draft);

}  // namespace cloister::inference
