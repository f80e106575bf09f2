#include "gateway/daemon.h"

#include "channel/atls/client.h"
#include "gateway/api.h"
#include "gateway/network.h"
#include "gateway/policy_memory.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

bool is_loopback(const std::string& address) {
  return address == "127.0.0.1" || address == "::1";
}

}  // namespace

struct Daemon::Running {
  Running(asio::io_context& io, DaemonParts given, const Clock& time, Random& chance,
          const Log& out)
      : context(io),
        parts(std::move(given)),
        clock(time),
        random(chance),
        log(out),
        ledger_client(io.get_executor(), light::http_endpoints(parts.config.ledger), time,
                      light::trust_of(parts.genesis)),
        account(ledger_client, std::move(parts.user_key), parts.genesis.chain_id,
                io.get_executor()),
        connector(io.get_executor(), time, chance),
        draws(DrawParts{ledger_client, parts.genesis, parts.config.local_policy, time,
                        [this](uint64_t version) { return policies->admits(version); }}),
        opener(OpenerParts{ledger_client, account, connector, parts.genesis, draws,
                           parts.config.local_policy, parts.config.padding, time, out,
                           [this](RefusedNode node) { network->note_refused(std::move(node)); }}),
        jobs(JobParts{ledger_client, account, parts.genesis, draws, parts.config.local_policy,
                      parts.config.padding, parts.config.blobs, time, chance, out,
                      [this](RefusedNode node) { network->note_refused(std::move(node)); }}) {}

  asio::io_context& context;
  DaemonParts parts;
  const Clock& clock;
  Random& random;
  const Log& log;
  light::Client ledger_client;
  light::Account account;
  atls::Connector connector;
  Draws draws;
  SessionOpener opener;
  JobAsker jobs;
  std::optional<ReceiptStore> receipts;
  std::optional<PolicyMemory> policies;
  std::optional<Network> network;
  std::optional<Access> access;
  std::optional<Api> api;
  http::Handler handler;
  std::optional<http::Server> server;
  std::function<void()> on_ready;

  std::expected<uint16_t, std::string> start();
};

std::expected<uint16_t, std::string> Daemon::Running::start() {
  const auto& config = parts.config;
  if (!is_loopback(config.listen_address)) {
    return std::unexpected(config.listen_address +
                           " is not a loopback address; the gateway serves this computer only");
  }
  auto store = ReceiptStore::open(config.data / "receipts");
  if (!store) return std::unexpected("the data folder " + config.data.string() + " cannot be used");
  receipts.emplace(std::move(*store));
  auto memory = PolicyMemory::open(config.data / "policy-version");
  if (!memory) return std::unexpected(memory.error());
  policies.emplace(std::move(*memory));
  auto token = load_or_make_token((config.data / "token").string(), random);
  if (!token)
    return std::unexpected("the token file in " + config.data.string() + " cannot be used");
  network.emplace(NetworkParts{context, ledger_client, opener, jobs, *receipts, config,
                               parts.genesis, clock, random, log});
  network->on_ready(on_ready);
  server.emplace(
      context.get_executor(), http::ServerLimits{},
      [this](const http::Request& request, http::Exchange& exchange) -> asio::awaitable<void> {
        co_await handler(request, exchange);
      });
  auto port = server->listen(config.listen_address, config.listen_port);
  if (!port) return std::unexpected(http::describe(port.error()));
  access.emplace(*token, *port);
  api.emplace(ApiParts{*network, *access, clock, random, parts.version});
  handler = api->handler();
  network->start();
  return *port;
}

Daemon::Daemon(asio::io_context& context, DaemonParts parts, const Clock& clock, Random& random,
               const Log& log)
    : running_(std::make_unique<Running>(context, std::move(parts), clock, random, log)) {}
Daemon::~Daemon() = default;

std::expected<uint16_t, std::string> Daemon::start() {
  return running_->start();
}
void Daemon::on_ready(std::function<void()> callback) {
  running_->on_ready = std::move(callback);
}

asio::awaitable<void> Daemon::stop() {
  if (running_->server) running_->server->drain();
  if (running_->network) co_await running_->network->stop();
}

}  // namespace cloister::gateway
