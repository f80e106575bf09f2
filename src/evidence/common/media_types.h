// Formats of evidence as media types. No vendor has registered any for its evidence, so ours stand
// in the vendor tree: "application/vnd.cloister.tdx-quote".
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

std::string media_type(Format format);
std::optional<Format> format_of_media_type(std::string_view media_type);

}  // namespace cloister::evidence
