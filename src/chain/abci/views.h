// What queries and CheckTx see: the states after the last commits, whatever is being worked on
// meanwhile. From any thread.
#pragma once

#include <memory>
#include <vector>

#include "chain/abci/messages.pb.h"
#include "chain/abci/nonces.h"
#include "chain/application.h"

namespace cloister::chain::abci {

// Whether it may wait, and stand in a block.
bool fits(const std::string& tx);

class CommittedViews {
 public:
  // The state after `height`; those before it stay, as far as kViewsKept, when it follows them.
  void publish(int64_t height, std::shared_ptr<const StateView> view);
  int64_t height() const { return now()->height; }

  // Path /store/FAMILY, with a proof if it is asked for; height 0 is the newest.
  ResponseQuery query(const RequestQuery& request) const;
  // On the newest state, and behind what waits already of the same sender.
  ResponseCheckTx check_tx(const RequestCheckTx& request);

 private:
  struct Views {
    int64_t height = 0;
    std::vector<std::shared_ptr<const StateView>> states;  // the last one is after `height`

    const StateView& newest() const { return *states.back(); }
    const StateView* at(int64_t wanted) const;
  };
  std::shared_ptr<const Views> now() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Views> now_;
  WaitingNonces waiting_;
};

}  // namespace cloister::chain::abci
