// A model on disk, checked before any other code reads it.
//
// The file is read once into memory and everything after works on that copy: the hashes, the table
// and the library that runs the model. A disk that answers differently the second time gains
// nothing. While a model loads this takes memory for the file twice.
#pragma once

#include <filesystem>

#include "inference/gguf.h"

namespace cloister::inference {

constexpr uint64_t kMaxModelBytes = uint64_t{64} << 30;

// What a loader says when it refuses: the error and, for people, the path and the hashes seen.
struct ModelFault {
  EngineError error;
  std::string detail;
  std::string message() const;  // one sentence; nothing in it comes from the file's content
};

struct ExpectedModel {
  Hash32 file_sha256;
  Hash32 model_root;
};

class ModelFile {
 public:
  Bytes bytes() const { return bytes_; }
  const ModelInfo& info() const { return info_; }

 private:
  friend std::expected<ModelFile, ModelFault> read_model_file(const std::filesystem::path&);
  friend std::expected<ModelFile, ModelFault> load_model_file(const std::filesystem::path&,
                                                              const ExpectedModel&);
  ModelFile() = default;
  static std::expected<ModelFile, ModelFault> describe_bytes(const std::filesystem::path& path,
                                                             Buffer bytes, const Hash32& sha256);
  Buffer bytes_;
  ModelInfo info_;
};

// Any well-formed model: for its owner, who wants to learn its hashes.
std::expected<ModelFile, ModelFault> read_model_file(const std::filesystem::path& path);

// The one model that the network agreed on. The file's hash is compared before its content is
// parsed.
std::expected<ModelFile, ModelFault> load_model_file(const std::filesystem::path& path,
                                                     const ExpectedModel& expected);

// Names weights, quantisation, tokenizer and template in one hash: the root of an RFC 6962 tree
// whose
//   leaf 0     = "cloister model metadata v1" ‖ 00 ‖ u64 keys ‖ SHA-256(metadata as in the file)
//   leaf 1 + i = "cloister model tensor v1" ‖ 00 ‖ u64 length ‖ name ‖ u32 type ‖ u32 dimensions ‖
//                u64 each ‖ SHA-256(data), in file order
// with integers little-endian, as in the file.
Hash32 model_root(const Gguf& gguf);

}  // namespace cloister::inference
