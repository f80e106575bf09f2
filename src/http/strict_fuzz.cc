// A message that the strict layer admits has exactly one reading: cutting its arrival in two
// anywhere changes nothing, and the parser takes no byte beyond its end.
#include <cstdlib>

#include "http/parser.h"

namespace {

using namespace cloister;
using http::Parser;

struct Outcome {
  bool failed = false;
  bool done = false;
  size_t taken = 0;
  std::string path;
  SecretBuffer body;
};

Outcome run(Parser::Kind kind, Bytes input, size_t cut) {
  Parser parser(kind, 4096);
  Outcome out;
  for (size_t end : {cut, input.size()}) {
    auto taken = parser.put(input.subspan(out.taken, end - out.taken));
    if (!taken) {
      out.failed = true;
      return out;
    }
    out.taken += *taken;
    if (out.taken > end) std::abort();
    if (parser.done()) break;
  }
  out.done = parser.done();
  if (!out.done) return out;
  if (kind == Parser::Kind::request) {
    http::Request request = parser.take_request();
    out.path = request.path;
    out.body = std::move(request.body);
  } else {
    out.body = parser.take_body();
  }
  if (out.body.size() > 4096) std::abort();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto kind = (data[0] & 1) != 0 ? Parser::Kind::request : Parser::Kind::response;
  const Bytes input(data + 2, size - 2);
  const size_t cut = input.empty() ? 0 : (data[1] * input.size()) / 256;
  const Outcome whole = run(kind, input, input.size());
  const Outcome parts = run(kind, input, cut);
  if (whole.done && (!parts.done || whole.taken != parts.taken || whole.path != parts.path ||
                     whole.body != parts.body)) {
    std::abort();
  }
  return 0;
}
