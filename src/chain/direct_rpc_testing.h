// An endpoint without a socket: it calls the driver's methods directly and lets a test change what
// comes back.
#pragma once

#include "chain/rpc_methods.h"
#include "http/client.h"
#include "light/rpc.h"

namespace cloister::chain {

using Tamper = std::function<void(std::string_view method, JsonValue& result)>;

class DirectRpc final : public light::Rpc {
 public:
  DirectRpc(LocalChain& chain, const Tamper& tamper)
      : methods_(chain, JsonValue::Object()), tamper_(tamper) {}

  light::asio::awaitable<std::expected<JsonValue, light::LightError>> call(std::string method,
                                                                           JsonValue params,
                                                                           light::Millis) override {
    JsonValue request;
    request.set("jsonrpc", "2.0");
    request.set("id", 1);
    request.set("method", method);
    request.set("params", std::move(params));
    const auto call =
        read_call(http::make_request("POST", "/", request.dump(), "application/json"));
    if (!call) co_return std::unexpected(light::LightError::bad_json);
    RpcAnswer answer = methods_.answer(*call);
    if (!answer) co_return std::unexpected(light::LightError::remote_refused);
    JsonValue result = *parse_json(answer->dump());
    if (tamper_) tamper_(method, result);
    co_return result;
  }

 private:
  RpcMethods methods_;
  const Tamper& tamper_;
};

}  // namespace cloister::chain
