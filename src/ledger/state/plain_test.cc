// The machine against the plain ledger, over random lives: the same codes and data for every
// transaction, the same records after every block.
//
// CLOISTER_STREAMS says how many lives (1,000 by default), CLOISTER_BLOCKS how long each is after
// it was set up (30), CLOISTER_FIRST_SEED where they begin.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/text.h"
#include "ledger/state/commands_testing.h"
#include "ledger/state/plain_ledger_testing.h"

namespace cloister::ledger {
namespace {

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::map<Buffer, Buffer> held(const Store& store, Family family) {
  std::map<Buffer, Buffer> out;
  store.for_each(family, {}, [&](Bytes key, Bytes value) {
    out[to_buffer(key)] = to_buffer(value);
    return true;
  });
  return out;
}

void compare(const std::map<Buffer, Buffer>& machine, const std::map<Buffer, Buffer>& plain) {
  for (const auto& [key, value] : machine) {
    const auto other = plain.find(key);
    EXPECT_EQ(to_hex(value), other == plain.end() ? "nothing" : to_hex(other->second))
        << to_hex(key);
  }
  for (const auto& [key, value] : plain) EXPECT_TRUE(machine.contains(key)) << to_hex(key);
}

class Pair {
 public:
  void watch(const TestNetwork& n, const BlockInput& block, const BlockResult& result) {
    SCOPED_TRACE("height " + std::to_string(block.height));
    if (!plain_) plain_.emplace(n.state.genesis(), n.verifier);
    const auto results = plain_->apply(block);
    ASSERT_EQ(results.size(), result.txs.size());
    for (size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(name(results[i].code), name(result.txs[i].code)) << "transaction " << i;
      EXPECT_EQ(to_hex(results[i].data), to_hex(result.txs[i].data));
    }
    for (size_t f = 0; f < kFamilyCount; ++f) {
      const auto family = static_cast<Family>(f);
      if (family == Family::draws) continue;
      const auto machine = held(n.state.store(), family), plain = plain_->family(family);
      if (machine == plain) continue;
      SCOPED_TRACE(name(family));
      compare(machine, plain);
    }
  }

 private:
  std::optional<PlainLedger> plain_;
};

TEST(Plain, TheMachineAndThePlainLedgerAgree) {
  const uint64_t first = number_from("CLOISTER_FIRST_SEED", 1'000'000);
  const uint64_t count = number_from("CLOISTER_STREAMS", 1'000);
  const uint64_t blocks = number_from("CLOISTER_BLOCKS", 30);
  std::map<TxKind, size_t> accepted;
  std::map<Code, size_t> refused;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair;
    RandomLife life(seed, [&](const TestNetwork& n, const BlockInput& block,
                              const BlockResult& result) { pair.watch(n, block, result); });
    for (uint64_t i = 0; i < blocks && !HasFailure(); ++i) life.step();
    if (HasFailure()) FAIL() << "seed " << seed;
    for (const auto& [kind, times] : life.accepted) accepted[kind] += times;
    for (const auto& [code, times] : life.refused) refused[code] += times;
    if ((seed - first + 1) % 10'000 == 0) {
      std::cout << seed - first + 1 << " lives agree" << std::endl;
    }
  }
  if (count < 1'000) return;
  EXPECT_GT(accepted.size(), 28u);
  EXPECT_GT(refused.size(), 28u);
}

}  // namespace
}  // namespace cloister::ledger
