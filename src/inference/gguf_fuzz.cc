// Property: whatever the bytes, parsing ends; what is accepted lies inside the file, in order and
// without overlap, and has a root.
#include <cstdlib>

#include "inference/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cloister::Bytes file(data, size);
  const auto gguf = cloister::inference::parse_gguf(file);
  if (!gguf) return 0;
  const uint8_t* end = gguf->metadata.data() + gguf->metadata.size();
  for (const auto& tensor : gguf->tensors) {
    if (tensor.data.data() < end) std::abort();
    end = tensor.data.data() + tensor.data.size();
  }
  if (end > data + size) std::abort();
  (void)cloister::inference::model_root(*gguf);
  return 0;
}
