// Formats of evidence as media types, one to one, in a vendor tree of our own:
// "application/vnd.cloister.tdx-quote".
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

std::string media_type(Format format);
std::optional<Format> format_of_media_type(std::string_view media_type);

}  // namespace cloister::evidence
