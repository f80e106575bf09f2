// An application under a consensus engine: what each request of ABCI 2.0 is answered.
//
// Nothing but Commit changes what is on disk or what queries and CheckTx see; they run on the
// committed state, at the same time as everything else. FinalizeBlock works from that state and the
// block alone, however many rounds there were and whichever proposals they looked at, and a block
// that was finalised but not committed is forgotten when another comes. ProcessProposal refuses
// what no proposer can have made who runs this program, and nothing else: a bad transaction fails
// in its block. Extensions of votes carry shares of the beacon and are never refused for what they
// hold: whoever sends nonsense has abstained.
//
// After an answer with `exception` the engine stops itself; `on_failure` says why.
#pragma once

#include <functional>
#include <memory>

#include "base/json.h"
#include "chain/abci/messages.pb.h"
#include "chain/abci/snapshots.h"
#include "chain/application.h"

namespace cloister::chain::abci {

constexpr uint64_t kAppVersion = 1;
constexpr size_t kMaxExtensionBytes = 128 << 10;

struct HostConfig {
  std::string dir;  // must exist; the state is dir/state.db, snapshots are in dir/snapshots
  StoreIdentity identity;
  std::vector<chain::ValidatorUpdate> validators;  // of the genesis, in any order
  int64_t keep_blocks = 0;                         // that the engine keeps; 0: all
  int64_t snapshot_interval = 0;                   // blocks between snapshots; 0: none
  std::function<void(int64_t height)> on_commit;   // once it is on disk, on the engine's thread
  std::function<void(ChainError)> on_failure;
  Snapshots::OnFailure on_no_snapshot;  // on a thread of its own; nothing else depends on it
};

class Host {
 public:
  // Goes on from the state that is in the folder, whose root is checked.
  static Result<std::unique_ptr<Host>> open(HostConfig config, std::unique_ptr<Application> app);
  ~Host();

  // From any thread. Total: a request that makes no sense gets an exception.
  Response handle(const Request& request);

  int64_t height() const;  // of the last commit

  Status limit_pages_for_testing(int64_t pages);
  void wait_snapshots_for_testing();  // until none is being made

 private:
  class Impl;
  explicit Host(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// `app_state` of the engine's genesis document, which the application checks.
JsonValue app_state(const Hash32& genesis_hash);

}  // namespace cloister::chain::abci
