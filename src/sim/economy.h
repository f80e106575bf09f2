// A simulated economy on the real ledger: operators of whom some are dishonest, each in its own
// way, and users who send them sessions. Says what each kind of conduct earned.
//
// Everything goes through State::apply as signed transactions. What is simulated is the world: what
// an answer costs to compute, who lies, what a checker sees, which platforms turn out bad.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ledger/types/params.h"

namespace cloister::sim {

enum class Conduct : uint8_t {
  honest,
  lazy,            // answers rubbish for a tenth of the cost
  copying,         // serves well, but as a checker says `match` without looking
  overcharging,    // settles for all that the session allows, whatever it served
  vanishing,       // takes sessions and jobs as checker and is never heard of again
  re_registering,  // lazy, and registers anew under another identity whenever it suffers
  flipping,        // its vendor takes back its machine's key in the middle of the run
};
constexpr size_t kConducts = 7;
std::string_view name(Conduct conduct);

struct EconomyOptions {
  uint64_t seed = 1;
  size_t operators = 1'000;
  size_t dishonest_permille = 300;  // of them, spread over all kinds
  size_t sessions = 1'000'000;
  size_t sessions_a_block = 500;
};

// Amounts in micro-units. A profit is what an operator holds at the end, stake included, less what
// it began with and what its work cost it.
struct ConductReport {
  Conduct conduct{};
  size_t operators = 0;
  size_t sessions = 0;       // that it was assigned and confirmed for
  size_t failed_checks = 0;  // as the one that was checked, unopened ones included
  uint64_t slashed_micro = 0;
  int64_t mean_profit_micro = 0;
  int64_t least_profit_micro = 0;
  int64_t most_profit_micro = 0;
};

struct EconomyReport {
  std::vector<ConductReport> conducts;  // in the order of Conduct, those that occur
  size_t blocks = 0;
  size_t transactions = 0;
  size_t sessions_closed = 0;
  size_t sessions_refunded = 0;
  size_t checks = 0;
  size_t unended = 0;  // sessions and checks that still wait: none, or something is wrong
  uint64_t money_at_start_micro = 0;
  uint64_t money_at_end_micro = 0;
  uint64_t treasury_micro = 0;
  Hash32 root{};  // the same seed and options give the same root
};

// The shipped parameters but for the length of an epoch and of the deadlines, which are shortened
// so that a run of a few thousand blocks sees many of them.
ledger::Params economy_params();

EconomyReport run_economy(const EconomyOptions& options,
                          const std::function<void(size_t done, size_t all)>& progress);

}  // namespace cloister::sim
