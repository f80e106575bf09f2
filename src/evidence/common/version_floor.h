// Whether a version is at least that which policy demands.
#pragma once

#include <string>
#include <string_view>

namespace cloister::evidence {

// Versions are groups between dots, of decimal digits (drivers: "550.90.07") or hexadecimal ones
// (VBIOS: "96.00.9F.00.01"), compared as numbers from the left; both are read as hexadecimal, which
// keeps the order of decimal ones. A missing group counts as less. An empty floor demands nothing;
// what cannot be read is below every floor.
bool at_least(std::string_view version, std::string_view floor);

}  // namespace cloister::evidence
