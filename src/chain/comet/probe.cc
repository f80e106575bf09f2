#include "chain/comet/probe.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "light/json_form.h"

namespace cloister::chain::comet {

JsonValue ask_engine(const light::EndpointAddress& rpc, const std::string& method, JsonValue params,
                     int timeout_ms) {
  boost::asio::io_context context;
  light::HttpRpc connection(rpc.host, rpc.port);
  JsonValue out;
  boost::asio::co_spawn(context,
                        connection.call(method, std::move(params), light::Millis(timeout_ms)),
                        [&](const std::exception_ptr& failed, auto answer) {
                          if (!failed && answer) out = std::move(*answer);
                        });
  context.run();
  return out;
}

std::optional<EngineStatus> engine_status(const light::EndpointAddress& rpc) {
  const JsonValue status = ask_engine(rpc, "status");
  const JsonValue net = ask_engine(rpc, "net_info");
  const auto height = light::int64_from(status["sync_info"]["latest_block_height"]);
  if (!height) return std::nullopt;
  EngineStatus out;
  out.height = *height;
  out.catching_up = status["sync_info"]["catching_up"].boolean().value_or(true);
  out.power = light::int64_from(status["validator_info"]["voting_power"]).value_or(0);
  out.peers = light::int64_from(net["n_peers"]).value_or(0);
  return out;
}

}  // namespace cloister::chain::comet
