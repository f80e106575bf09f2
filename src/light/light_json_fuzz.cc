// Property: what the parsers accept is written back and parsed again to the same value.
#include <cstdlib>

#include "light/json_form.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  const auto value = parse_json(as_text({data, size}));
  if (!value) return 0;
  if (const auto header = light::parse_signed_header(*value)) {
    if (light::parse_signed_header(light::to_json(*header)) != *header) std::abort();
  }
  if (const auto page = light::parse_validators_page(*value)) {
    const auto again = light::parse_validators_page(light::to_json(*page));
    if (!again || again->validators != page->validators) std::abort();
  }
  if (const auto response = light::parse_query_response(*value)) {
    if (light::parse_query_response(light::to_json(*response)) != *response) std::abort();
  }
  return 0;
}
