// Reading in two pieces gives the same events as reading at once, and events survive a round trip.
#include <cstdlib>

#include "http/sse.h"

namespace {

using namespace cloister;

std::optional<std::vector<http::SseEvent>> read(Bytes first, Bytes second) {
  http::SseReader reader;
  auto a = reader.put(first);
  if (!a) return std::nullopt;
  auto b = reader.put(second);
  if (!b) return std::nullopt;
  for (auto& event : *b) a->push_back(std::move(event));
  return std::move(*a);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  const size_t cut = (data[0] * input.size()) / 256;
  const auto whole = read(input, {});
  const auto parts = read(input.first(cut), input.subspan(cut));
  if (whole.has_value() != parts.has_value()) std::abort();
  if (!whole) return 0;
  if (whole->size() != parts->size()) std::abort();
  for (size_t i = 0; i < whole->size(); ++i) {
    if ((*whole)[i].data != (*parts)[i].data || (*whole)[i].name != (*parts)[i].name) std::abort();
    const auto written = http::sse_event((*whole)[i].text(), (*whole)[i].name);
    if (!written) std::abort();
    const auto again = read(*written, {});
    if (!again || again->size() != 1 || (*again)[0].data != (*whole)[i].data) std::abort();
  }
  return 0;
}
