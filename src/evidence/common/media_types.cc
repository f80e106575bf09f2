#include "evidence/common/media_types.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kVendorTree = "application/vnd.cloister.";

}  // namespace

std::string media_type(Format format) {
  return std::string(kVendorTree) + std::string(name(format));
}

std::optional<Format> format_of_media_type(std::string_view media_type) {
  if (!media_type.starts_with(kVendorTree)) return std::nullopt;
  return format_from(media_type.substr(kVendorTree.size()));
}

}  // namespace cloister::evidence
