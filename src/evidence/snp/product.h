// AMD's product lines, as far as this verifier tells them apart. Each has its own root key.
#pragma once

#include "base/bytes.h"

namespace cloister::evidence::snp {

enum class ProductLine : uint8_t { milan, genoa, turin };

std::string_view name(ProductLine line);  // "Milan", as in anchors and in certificate names

// "Milan" and "Milan-B0" alike: what follows the dash is a stepping.
std::optional<ProductLine> product_from_name(std::string_view name);

// CPUID family and model as a report of version 3 or later carries them, extended parts added in.
// Genoa stands for its class: Bergamo and Siena share its chain.
std::optional<ProductLine> product_from_cpuid(uint8_t family, uint8_t model);

}  // namespace cloister::evidence::snp
