// Finds and reads the vectors that tests compare with. A file that is not as it should be throws:
// it is a fault of the test, not of the subject.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace cloister {

// The folder of vectors: $CLOISTER_VECTORS, else beside the checkout. Nothing when it is not there.
std::optional<std::filesystem::path> vectors_folder(std::string_view source_dir);

// A text file of `name = value`, `name: value` or `name` lines, in order; comments, empty lines and
// the brackets of [name: value] are left out.
using VectorFields = std::vector<std::pair<std::string, std::string>>;
VectorFields read_vector_fields(const std::filesystem::path& file);

Buffer bytes_of_hex(std::string_view hex);

}  // namespace cloister
