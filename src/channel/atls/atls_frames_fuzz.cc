// Whatever a frame's decoder accepts encodes to the same bytes again.
#include <cstdlib>

#include "channel/atls/cmw.h"
#include "channel/atls/frames.h"
#include "channel/atls/request.h"

namespace {

using namespace cloister;
using namespace cloister::atls;

void expect_same(Bytes a, Bytes b) {
  if (!equal(a, b)) std::abort();
}

void header(Bytes input) {
  const auto bytes = to_fixed<kFrameHeaderBytes>(input.first(std::min<size_t>(4, input.size())));
  const auto head = bytes ? read_frame_header(*bytes) : std::unexpected(AtlsError::frame_malformed);
  if (head && head->body_bytes > kMaxFrameBytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      header(input);
      break;
    case 1:
      if (auto request = decode_request(input)) expect_same(encode_request(*request), input);
      break;
    case 2:
      if (auto cmw = decode_cmw(input)) expect_same(encode_cmw(*cmw).value(), input);
      break;
    case 3:
      if (auto verdict = decode_verdict(input)) expect_same(encode_verdict(*verdict), input);
      break;
    default:
      if (auto code = decode_error(input)) expect_same(encode_error(*code), input);
      break;
  }
  return 0;
}
