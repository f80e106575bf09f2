// State sync, on the side of who joins: a snapshot that was offered, and its chunks until all are
// here. The engine has verified the hash of the application's state with its light client; the
// manifest must name it, each chunk must be the manifest's, and whether all of them make a state
// with that root the application decides.
#pragma once

#include <optional>

#include "chain/abci/messages.pb.h"
#include "chain/abci/state_store.h"
#include "chain/snapshot.h"

namespace cloister::chain::abci {

class JoiningState {
 public:
  // Begins anew with what is offered, if it agrees with itself and with the verified hash.
  ResponseOfferSnapshot::Result offer(const RequestOfferSnapshot& request);

  // A chunk that is not the manifest's is to be fetched again, from somebody else.
  ResponseApplySnapshotChunk take(const RequestApplySnapshotChunk& request);
  bool complete() const { return reader_ && reader_->missing().empty(); }

  struct Fetched {
    Committed at;
    std::vector<StateRow> rows;
  };
  // Of a complete one, which is over then. bad_snapshot: its rows do not ascend.
  Result<Fetched> finish();

 private:
  Committed at_;
  std::optional<SnapshotReader> reader_;
};

}  // namespace cloister::chain::abci
