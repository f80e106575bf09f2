// What a reference manifest says (ISO/IEC 19770-2:2015, with NVIDIA's attributes). Nothing of it is
// authentic before the signature over the very tree that it was read from has held.
#pragma once

#include "evidence/rim/rim.h"
#include "evidence/rim/xml_signature.h"

namespace cloister::evidence::rim {

struct Swid {
  XmlDocument document;  // what `signature` looks into
  XmlSignature signature;
  std::string id;       // tagId
  std::string version;  // colloquialVersion
  std::string product;
  std::string edition;  // "GPU", "SWITCH"
  std::vector<Golden> goldens;
};

// `malformed`: another shape, an attribute of a measurement absent, unknown, or out of its bounds,
// an index twice. `unsupported`: see find_signature.
Result<Swid> parse_swid(std::string_view text);

}  // namespace cloister::evidence::rim
