// Reads the head of a GGUF v3 file: metadata and tensor table. The file is hostile.
//
// Refused: another magic or version; counts, lengths and shapes past the bounds below; nested
// arrays; a key or a tensor name that occurs twice; unknown value or tensor types; tensor data that
// overlaps, has gaps or is not aligned; padding that is not zero; a file that is shorter or longer
// than its table says. So every byte of an accepted file is either metadata, table, tensor data or
// a zero.
#pragma once

#include <expected>

#include "inference/engine.h"

namespace cloister::inference {

constexpr uint64_t kMaxMetadataKeys = 4096;
constexpr uint64_t kMaxTensors = 1 << 16;
constexpr uint64_t kMaxKeyBytes = 256;
constexpr uint64_t kMaxStringBytes = 1 << 20;
constexpr uint64_t kMaxArrayItems = 1 << 24;
constexpr uint64_t kMaxTensorNameBytes = 63;
constexpr uint32_t kMaxDimensions = 4;
constexpr uint64_t kMaxElements = uint64_t{1} << 42;  // of one tensor
constexpr uint32_t kMaxAlignment = 1 << 16;

struct GgufTensor {
  std::string name;
  std::vector<uint64_t> shape;  // 1 to kMaxDimensions, none zero
  uint32_t type = 0;
  Bytes data;  // lent by the file
};

struct Gguf {
  Bytes metadata;  // the metadata as it stands in the file, without the fixed head
  uint64_t metadata_keys = 0;
  std::vector<GgufTensor> tensors;  // in file order

  // What the metadata says about the model; empty or zero where it says nothing.
  std::string name;
  std::string licence;
  std::string quantization;
  uint32_t context_tokens = 0;
  bool has_chat_template = false;
};

// model_malformed, or model_unsupported for a tensor type that is unknown here. `file` must outlive
// the result.
std::expected<Gguf, EngineError> parse_gguf(Bytes file);

}  // namespace cloister::inference
