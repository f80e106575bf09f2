#include "chain/daemon.h"

#include "chain/ledger_application.h"

namespace cloister::chain {
namespace {

Status check_keys(const LedgerConfig& config) {
  const ledger::Genesis& genesis = config.genesis;
  if (!ledger::check(genesis) || !genesis.embedded || genesis.validators.size() != 1) {
    return std::unexpected(ChainError::bad_genesis);
  }
  if (!config.validator || config.validator->public_key() != genesis.validators[0].public_key) {
    return std::unexpected(ChainError::wrong_validator);
  }
  if (!ledger::is_beacon_secret(genesis, config.beacon)) {
    return std::unexpected(ChainError::wrong_validator);
  }
  return {};
}

LocalConfig local_config(const LedgerConfig& config) {
  LocalConfig local;
  local.path = config.dir + "/ledger.db";
  local.chain_id = config.genesis.chain_id;
  local.genesis_hash = config.genesis.hash();
  local.genesis_time_ms = static_cast<UnixMillis>(config.genesis.time_ms);
  local.validator = config.genesis.validators[0].public_key;
  local.power = static_cast<int64_t>(config.genesis.validators[0].power);
  local.block_interval_ms = config.block_interval_ms;
  local.heartbeat_ms = config.heartbeat_ms;
  local.keep_blocks = config.keep_blocks;
  return local;
}

Result<std::unique_ptr<LedgerApplication>> application_of(LedgerConfig& config) {
  const Status checked = check_keys(config);
  if (!checked) return std::unexpected(checked.error());
  return LedgerApplication::create(config.genesis, config.verifier, std::move(config.beacon));
}

}  // namespace

Result<BackupFacts> LedgerDaemon::back_up(LedgerConfig config,
                                          const std::filesystem::path& folder) {
  auto app = application_of(config);
  if (!app) return std::unexpected(app.error());
  return write_backup(local_config(config), std::move(*app), std::move(*config.validator), folder);
}

Result<BackupFacts> LedgerDaemon::restore(LedgerConfig config,
                                          const std::filesystem::path& folder) {
  auto app = application_of(config);
  if (!app) return std::unexpected(app.error());
  return restore_backup(local_config(config), std::move(*app), std::move(*config.validator),
                        folder);
}

Result<LedgerDaemon> LedgerDaemon::start(boost::asio::any_io_executor executor, const Clock& clock,
                                         LedgerConfig config) {
  auto app = application_of(config);
  if (!app) return std::unexpected(app.error());
  const LocalConfig local = local_config(config);
  auto chain = LocalChain::open(local, std::move(*app), std::move(*config.validator));
  if (!chain) return std::unexpected(chain.error());
  ServiceConfig service;
  service.host = config.host;
  service.port = config.port;
  service.public_hosts = std::move(config.public_hosts);
  service.web_origins = std::move(config.web_origins);
  service.genesis = config.genesis.to_json();
  service.on_failure = std::move(config.on_failure);
  auto started = Service::start(executor, clock, std::move(*chain), std::move(service));
  if (!started) return std::unexpected(started.error());
  return LedgerDaemon(std::move(*started));
}

}  // namespace cloister::chain
