#include "inference/model_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "crypto/hash.h"
#include "merkle/simple.h"

namespace cloister::inference {
namespace {

constexpr std::string_view kMetadataDomain{"cloister model metadata v1\0", 27};
constexpr std::string_view kTensorDomain{"cloister model tensor v1\0", 25};

std::unexpected<ModelFault> refuse(EngineError error, std::string detail) {
  return std::unexpected(ModelFault{error, std::move(detail)});
}

Buffer tensor_leaf(const GgufTensor& tensor) {
  ByteWriter leaf;
  leaf.text(kTensorDomain).u64_le(tensor.name.size()).text(tensor.name).u32_le(tensor.type);
  leaf.u32_le(static_cast<uint32_t>(tensor.shape.size()));
  for (uint64_t size : tensor.shape) leaf.u64_le(size);
  return leaf.bytes(crypto::sha256(tensor.data)).take();
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::expected<Buffer, ModelFault> read_bytes(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    const bool missing = errno == ENOENT;
    return refuse(missing ? EngineError::model_missing : EngineError::model_unreadable, path);
  }
  std::error_code failed;
  const uint64_t size = std::filesystem::file_size(path, failed);
  if (failed || size > kMaxModelBytes) return refuse(EngineError::model_unreadable, path);
  Buffer bytes(size);
  if (std::fread(bytes.data(), 1, size, file.get()) != size || std::fgetc(file.get()) != EOF) {
    return refuse(EngineError::model_unreadable, path);
  }
  return bytes;
}

std::string differs(const std::filesystem::path& path, std::string_view what,
                    const Hash32& expected, const Hash32& found) {
  return fmt::format("{}: {} expected {}, found {}", path.string(), what, to_hex(expected),
                     to_hex(found));
}

}  // namespace

std::string ModelFault::message() const {
  return fmt::format("{}: {}", describe(error), detail);
}

Hash32 model_root(const Gguf& gguf) {
  std::vector<Buffer> leaves;
  leaves.reserve(gguf.tensors.size() + 1);
  ByteWriter metadata;
  metadata.text(kMetadataDomain).u64_le(gguf.metadata_keys).bytes(crypto::sha256(gguf.metadata));
  leaves.push_back(metadata.take());
  for (const GgufTensor& tensor : gguf.tensors) leaves.push_back(tensor_leaf(tensor));
  return merkle::simple_root(leaves);
}

std::expected<ModelFile, ModelFault> ModelFile::describe_bytes(const std::filesystem::path& path,
                                                               Buffer bytes, const Hash32& sha256) {
  ModelFile file;
  file.bytes_ = std::move(bytes);
  const auto gguf = parse_gguf(file.bytes_);
  if (!gguf) return refuse(gguf.error(), path);
  file.info_.name = gguf->name;
  file.info_.licence = gguf->licence;
  file.info_.quantization = gguf->quantization;
  file.info_.context_tokens = gguf->context_tokens;
  file.info_.model_root = model_root(*gguf);
  file.info_.file_sha256 = sha256;
  if (!gguf->has_chat_template || gguf->context_tokens == 0) {
    return refuse(EngineError::model_unsupported,
                  fmt::format("{}: no chat template or no context length", path.string()));
  }
  return file;
}

std::expected<ModelFile, ModelFault> read_model_file(const std::filesystem::path& path) {
  auto bytes = read_bytes(path);
  if (!bytes) return std::unexpected(bytes.error());
  const Hash32 sha256 = crypto::sha256(*bytes);
  return ModelFile::describe_bytes(path, std::move(*bytes), sha256);
}

std::expected<ModelFile, ModelFault> load_model_file(const std::filesystem::path& path,
                                                     const ExpectedModel& expected) {
  auto bytes = read_bytes(path);
  if (!bytes) {
    ModelFault fault = std::move(bytes.error());
    fault.detail += fmt::format(" (expected SHA-256 {})", to_hex(expected.file_sha256));
    return std::unexpected(std::move(fault));
  }
  const Hash32 sha256 = crypto::sha256(*bytes);
  if (sha256 != expected.file_sha256) {
    return refuse(EngineError::model_mismatch,
                  differs(path, "SHA-256", expected.file_sha256, sha256));
  }
  auto file = ModelFile::describe_bytes(path, std::move(*bytes), sha256);
  if (file && file->info().model_root != expected.model_root) {
    return refuse(EngineError::model_mismatch,
                  differs(path, "model root", expected.model_root, file->info().model_root));
  }
  return file;
}

}  // namespace cloister::inference
