#include "sim/chain.h"

#include <array>

#include "ledger/types/account.h"
#include "ledger/types/bodies.h"

namespace cloister::sim {

using namespace ledger;

Chain::Chain(State state, BeaconSecret secret)
    : state_(std::move(state)), secret_(std::move(secret)) {}

Hash32 Chain::block_hash(uint64_t height) {
  return crypto::sha256(ByteWriter().text("block").u64_be(height).view());
}

uint64_t Chain::nonce(const AccountId& account) const {
  return read<Account>(Family::accounts, account).value_or(Account()).nonce;
}

BlockResult Chain::block() {
  const uint64_t next = height() + 1;
  const Genesis& genesis = state_.genesis();
  const std::array offered{state_.shares_of(next, secret_)};
  if (auto front = state_.front(next, offered)) txs_.insert(txs_.begin(), std::move(*front));
  BlockInput input;
  input.height = next;
  input.time_ms = static_cast<UnixMillis>(genesis.time_ms + next * 1000);
  input.hash = block_hash(next);
  input.txs = txs_;
  BlockResult result = state_.apply(input);
  state_.take_changes();  // nobody keeps them
  txs_.clear();
  queued_.clear();
  return result;
}

}  // namespace cloister::sim
