// Instances of the ledger as an engine sees them: over requests, or over their sockets.
#pragma once

#include <memory>

#include "chain/abci/client_testing.h"
#include "chain/abci/host.h"
#include "chain/abci/server.h"
#include "ledger/types/genesis.h"

namespace cloister::chain::abci {

// Four validators; alice, bob and "operator" have money.
constexpr size_t kDrivenValidators = 4;
const ledger::Genesis& driven_genesis();
std::vector<chain::ValidatorUpdate> driven_validators();
// The ledger of validator `index`, from 0, in a folder that exists.
Result<std::unique_ptr<Host>> open_driven(const std::string& dir, size_t index);

// What an engine sends.
Request init_request();
// `salt`: blocks of one height that differ have different hashes.
Request block_request(int64_t height, const std::vector<Buffer>& txs = {},
                      std::string_view salt = "");
Request commit_request();

// One instance with the engine's four connections.
class DrivenInstance {
 public:
  DrivenInstance(std::string dir, size_t index);
  void start();
  void crash();      // of the application and the engine: what was not committed is gone
  void reconnect();  // of the engine alone
  void wipe();       // crashed, and its disk is lost

  Response consensus(const Request& request) { return connections_[3].call(request); }
  Response mempool(const Request& request) { return connections_[2].call(request); }
  Response snapshots(const Request& request) { return connections_[1].call(request); }
  Response query(const Request& request) { return connections_[0].call(request); }

 private:
  const std::string dir_;
  const size_t index_;
  std::unique_ptr<Host> host_;
  std::optional<Server> server_;
  std::vector<TestConnection> connections_;
};

}  // namespace cloister::chain::abci
