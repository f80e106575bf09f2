#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

using Wide = __int128;

// What one key-value of the state holds.
template <typename T>
T stored(Bytes value) {
  auto record = T::decode(value);
  invariant(record.has_value(), "a stored record does not decode");
  return std::move(*record);
}

Wide money_of(const Operator& op) {
  Wide total = Wide{op.stake_micro} + op.check_reserve_micro;
  for (const Unbonding& part : op.unbonding) total += part.amount_micro;
  return total;
}

Wide money_in(Family family, Bytes key, std::optional<Bytes> value) {
  if (!value) return 0;
  switch (family) {
    case Family::accounts:
      return stored<Account>(*value).balance_micro;
    case Family::operators:
      if (key.size() != sizeof(AccountId)) return 0;  // names of instances
      return money_of(stored<Operator>(*value));
    case Family::checks:
      return stored<Check>(*value).bond_micro;
    case Family::sessions:
      return stored<Session>(*value).escrow_micro;
    default:
      return 0;
  }
}

}  // namespace

void invariant(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "ledger: broken invariant: %s\n", what);
  std::abort();
}

void credit(Context& c, const AccountId& to, uint64_t amount_micro) {
  if (amount_micro == 0) return;
  Account account = c.account(to);
  // The total of all money fits 64 bits (genesis), so a balance does.
  invariant(amount_micro <= UINT64_MAX - account.balance_micro, "a balance overflows");
  account.balance_micro += amount_micro;
  c.put(to, account);
}

bool debit(Context& c, const AccountId& from, uint64_t amount_micro) {
  Account account = c.account(from);
  if (account.balance_micro < amount_micro) return false;
  account.balance_micro -= amount_micro;
  c.put(from, account);
  return true;
}

uint64_t share_of(uint64_t amount_micro, uint32_t permille) {
  return static_cast<uint64_t>(Wide{amount_micro} * permille / kPermille);
}

void slash(Context& c, const AccountId& operator_account, const AccountId& to,
           uint32_t share_permille, uint64_t amount_micro) {
  auto op = c.operator_of(operator_account);
  invariant(op.has_value(), "an instance has no operator");
  uint64_t taken = 0;
  const auto take_from = [&](uint64_t& source) {
    const uint64_t part = std::min(amount_micro - taken, source);
    source -= part;
    taken += part;
  };
  take_from(op->stake_micro);
  for (auto part = op->unbonding.rbegin(); part != op->unbonding.rend(); ++part) {
    take_from(part->amount_micro);
  }
  std::erase_if(op->unbonding, [](const Unbonding& part) { return part.amount_micro == 0; });
  op->slashed_micro += taken;
  c.put(operator_account, *op);
  const uint64_t share = share_of(taken, share_permille);
  credit(c, to, share);
  credit(c, treasury_account(), taken - share);
  check_backing(c, operator_account);
}

void change_reputation(Context& c, const AccountId& operator_account, int64_t by) {
  auto op = c.operator_of(operator_account);
  invariant(op.has_value(), "an instance has no operator");
  const int64_t moved = std::clamp<int64_t>(int64_t{op->reputation} + by, 0, kMaxReputation);
  op->reputation = static_cast<uint32_t>(moved);
  c.put(operator_account, *op);
}

void audit_block(const Store& store) {
  Wide difference = 0;
  store.for_each_difference([&](const Store::Difference& d) {
    difference += money_in(d.family, d.key, d.after) - money_in(d.family, d.key, d.before);
  });
  invariant(difference == 0, "a block made or lost money");
}

uint64_t total_money(const Store& store) {
  Wide total = 0;
  for (Family family : {Family::accounts, Family::checks, Family::operators, Family::sessions}) {
    store.for_each(family, {}, [&](Bytes key, Bytes value) {
      total += money_in(family, key, value);
      return true;
    });
  }
  invariant(total >= 0 && total <= Wide{UINT64_MAX}, "the total does not fit");
  return static_cast<uint64_t>(total);
}

}  // namespace cloister::ledger
