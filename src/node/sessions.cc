#include "node/sessions.h"

namespace cloister::node {

Progress Sessions::progress(const ledger::SessionId& session) const {
  auto found = entries_.find(session);
  return found == entries_.end() ? Progress{} : found->second.progress;
}

bool Sessions::begin(const ledger::SessionId& session, uint64_t sequence) {
  Entry& entry = entries_[session];
  if (entry.busy) return false;
  entry.busy = true;
  entry.progress.last_sequence = sequence;
  return true;
}

void Sessions::end(const ledger::SessionId& session, std::optional<ledger::SignedReceipt> receipt) {
  Entry& entry = entries_[session];
  entry.busy = false;
  if (!receipt) return;
  entry.progress.used_units = receipt->receipt.cumulative_units;
  entry.unsettled = std::move(receipt);
}

std::vector<ledger::SignedReceipt> Sessions::take_unsettled() {
  std::vector<ledger::SignedReceipt> out;
  for (auto& [id, entry] : entries_) {
    if (entry.unsettled) out.push_back(std::move(*entry.unsettled));
    entry.unsettled.reset();
  }
  return out;
}

void Sessions::settle_again(const ledger::SignedReceipt& receipt) {
  Entry& entry = entries_[receipt.receipt.session];
  if (!entry.unsettled) entry.unsettled = receipt;
}

}  // namespace cloister::node
