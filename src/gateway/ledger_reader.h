// Reads of the ledger with their proofs kept, so that everything a decision rests on can be shown
// and verified again by others.
#pragma once

#include "evidence/collateral.h"
#include "ledger/types/collateral.h"
#include "ledger/types/keys.h"
#include "light/client.h"
#include "trust/bundle.h"

namespace cloister::gateway {

class LedgerReader {
 public:
  template <typename T>
  using Answer = boost::asio::awaitable<std::expected<T, light::LightError>>;

  explicit LedgerReader(light::Client& client) : client_(client) {}

  // One record, remembered; nothing when it is proven absent.
  template <typename T>
  Answer<std::optional<T>> record(ledger::Family family, Buffer key, int64_t min_height = 0) {
    auto read = co_await remember(family, std::move(key), min_height);
    if (!read) co_return std::unexpected(read.error());
    if (!read->value) co_return std::optional<T>();
    auto decoded = T::decode(*read->value);
    if (!decoded) co_return std::unexpected(light::LightError::wrong_proof_value);
    co_return std::move(decoded);
  }

  // Of these vendors' objects those that the ledger holds.
  Answer<std::vector<ledger::CollateralRecord>> collateral(
      std::vector<evidence::CollateralName> names);

  // The reads so far with the blocks that prove them, block 1 first. The blocks are fetched anew
  // and must be verified again by whoever uses them: trust::evaluate does. `also`: the height of a
  // block that is wanted beside them.
  Answer<trust::Bundle> bundle(const ledger::Genesis& genesis, std::optional<int64_t> also = {});

 private:
  Answer<light::ProvenValue> remember(ledger::Family family, Buffer key, int64_t min_height);
  light::Client& client_;
  std::vector<trust::ProvenRead> reads_;
};

}  // namespace cloister::gateway
