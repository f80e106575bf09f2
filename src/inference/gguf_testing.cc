#include "inference/gguf_testing.h"

namespace cloister::inference {

Buffer gguf_string(std::string_view text) {
  return ByteWriter().u64_le(text.size()).text(text).take();
}
Buffer gguf_u32(uint32_t value) {
  return ByteWriter().u32_le(value).take();
}

GgufDraft small_model() {
  GgufDraft draft;
  draft.keys = {
      {"general.architecture", 8, gguf_string("llama")},
      {"general.name", 8, gguf_string("tiny")},
      {"general.license", 8, gguf_string("apache-2.0")},
      {"general.file_type", 4, gguf_u32(3)},
      {"llama.context_length", 4, gguf_u32(64)},
      {"tokenizer.chat_template", 8, gguf_string("{{ messages }}")},
      {"tokenizer.ggml.tokens", 9,
       ByteWriter().u32_le(8).u64_le(2).bytes(gguf_string("a")).bytes(gguf_string("bc")).take()},
      {"tokenizer.ggml.scores", 9, ByteWriter().u32_le(6).u64_le(2).zeros(8).take()},
      {"tokenizer.ggml.add_bos_token", 7, {1}},
  };
  draft.tensors = {{"norm.weight", {3}, 0, Buffer(12, 0x11), {}},
                   {"out.weight", {32, 2}, 3, Buffer(40, 0x22), {}}};
  return draft;
}

Buffer write_gguf(const GgufDraft& draft) {
  ByteWriter out;
  out.text("GGUF").u32_le(draft.version);
  out.u64_le(draft.claimed_tensors.value_or(draft.tensors.size()));
  out.u64_le(draft.claimed_keys.value_or(draft.keys.size()));
  for (const GgufKey& key : draft.keys) {
    out.bytes(gguf_string(key.key)).u32_le(key.type).bytes(key.value);
  }
  const auto padding_after = [&](size_t size) {
    return (draft.alignment - size % draft.alignment) % draft.alignment;
  };
  uint64_t offset = 0;
  for (const GgufPart& tensor : draft.tensors) {
    out.bytes(gguf_string(tensor.name)).u32_le(static_cast<uint32_t>(tensor.shape.size()));
    for (uint64_t size : tensor.shape) out.u64_le(size);
    out.u32_le(tensor.type).u64_le(tensor.offset.value_or(offset));
    offset += tensor.data.size() + padding_after(tensor.data.size());
  }
  for (const GgufPart& tensor : draft.tensors) {
    out.bytes(Buffer(padding_after(out.size()), draft.padding)).bytes(tensor.data);
  }
  return out.bytes(Buffer(padding_after(out.size()), draft.padding)).take();
}

}  // namespace cloister::inference
