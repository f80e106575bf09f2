// What this boot has done for each session: the highest sequence, the units used, the latest
// receipt. Used from the service's strand only.
#pragma once

#include <map>

#include "ledger/types/receipt.h"
#include "node/gate.h"

namespace cloister::node {

class Sessions {
 public:
  Progress progress(const ledger::SessionId& session) const;

  // Takes the sequence before anything is computed, so that a second request with it is refused
  // while the first still runs. False when another request of the session is under way.
  [[nodiscard]] bool begin(const ledger::SessionId& session, uint64_t sequence);
  // Ends what `begin` began. `receipt`: nothing when the request was not answered; it then used
  // nothing.
  void end(const ledger::SessionId& session, std::optional<ledger::SignedReceipt> receipt);

  // Receipts that the ledger has not been told of, one a session, the latest; hands each out once.
  std::vector<ledger::SignedReceipt> take_unsettled();
  // A receipt whose settlement did not go through, unless a later one has come meanwhile.
  void settle_again(const ledger::SignedReceipt& receipt);

 private:
  struct Entry {
    Progress progress;
    bool busy = false;
    std::optional<ledger::SignedReceipt> unsettled;
  };
  std::map<ledger::SessionId, Entry> entries_;
};

}  // namespace cloister::node
