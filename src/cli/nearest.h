// Helps with mistyped names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::cli {

// The name that takes the fewest single-character edits, when those are few for its length.
std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names);

// "; did you mean NAME?", or nothing.
std::string suggestion(std::string_view typed, const std::vector<std::string>& names);

}  // namespace cloister::cli
