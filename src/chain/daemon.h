// The embedded ledger as a whole: state machine, driver, store and JSON-RPC. What `cloister ledger`
// and `cloister up` run.
//
//   auto ledger = LedgerDaemon::start(context.get_executor(), clock, std::move(config));
//   if (!ledger) … describe(ledger.error()) …
//   context.run();
#pragma once

#include "chain/backup.h"
#include "chain/service.h"
#include "ledger/state/state.h"
#include "ledger/types/beacon.h"

namespace cloister::chain {

struct LedgerConfig {
  std::string dir;  // must exist; the database is dir/ledger.db
  ledger::Genesis genesis;
  ledger::State::Verifier verifier;
  std::optional<crypto::Ed25519Key> validator;  // of the genesis' one validator
  ledger::BeaconSecret beacon;                  // its share of the beacon
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::vector<std::string> public_hosts;
  std::vector<std::string> web_origins;
  int64_t block_interval_ms = 200;
  int64_t heartbeat_ms = 3000;
  int64_t keep_blocks = 0;  // 0: all
  std::function<void(ChainError)> on_failure;
};

class LedgerDaemon {
 public:
  // Refuses a genesis that is not for one embedded validator, and keys that are not its.
  static Result<LedgerDaemon> start(boost::asio::any_io_executor executor, const Clock& clock,
                                    LedgerConfig config);

  // Of a ledger that does not run (backup.h).
  static Result<BackupFacts> back_up(LedgerConfig config, const std::filesystem::path& folder);
  static Result<BackupFacts> restore(LedgerConfig config, const std::filesystem::path& folder);

  uint16_t port() const { return service_.port(); }
  void stop() { service_.stop(); }  // see Service::stop

 private:
  explicit LedgerDaemon(Service service) : service_(std::move(service)) {}
  Service service_;
};

}  // namespace cloister::chain
