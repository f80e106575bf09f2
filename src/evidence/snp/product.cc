#include "evidence/snp/product.h"

namespace cloister::evidence::snp {
namespace {

constexpr uint8_t kFamilyZen3Zen4 = 0x19;
constexpr uint8_t kFamilyZen5 = 0x1A;

}  // namespace

std::string_view name(ProductLine line) {
  switch (line) {
    case ProductLine::milan:
      return "Milan";
    case ProductLine::genoa:
      return "Genoa";
    case ProductLine::turin:
      return "Turin";
  }
  return "unknown";
}

std::optional<ProductLine> product_from_name(std::string_view text) {
  const std::string_view line_name = text.substr(0, text.find('-'));
  for (ProductLine line : {ProductLine::milan, ProductLine::genoa, ProductLine::turin}) {
    if (line_name == name(line)) return line;
  }
  return std::nullopt;
}

std::optional<ProductLine> product_from_cpuid(uint8_t family, uint8_t model) {
  if (family == kFamilyZen3Zen4) {
    if (model <= 0x0F) return ProductLine::milan;
    if (model >= 0x10 && model <= 0x1F) return ProductLine::genoa;
    if (model >= 0xA0 && model <= 0xAF) return ProductLine::genoa;
  }
  if (family == kFamilyZen5 && model <= 0x11) return ProductLine::turin;
  return std::nullopt;
}

}  // namespace cloister::evidence::snp
