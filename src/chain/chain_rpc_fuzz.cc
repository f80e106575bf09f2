// Property: a request is read or refused, its answer parses as JSON, and what was read has no
// argument that its method does not know.
#include <cstdlib>

#include "chain/rpc_call.h"

namespace {

void read(const cloister::http::Request& request) {
  using namespace cloister;
  const auto call = chain::read_call(request);
  const std::string answer =
      call ? chain::answer_json(call->id, JsonValue()) : chain::fault_json(-1, call.error());
  if (!parse_json(answer)) std::abort();
  if (call && call->arguments.size() > 4) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloister;
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(http::make_request("POST", "/", text, "application/json"));
  http::Request get;
  get.method = "GET";
  get.path = "/" + text.substr(0, text.find('?'));
  if (text.find('?') != std::string::npos) get.query = text.substr(text.find('?') + 1);
  read(get);
  return 0;
}
