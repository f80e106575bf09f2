#include "trust/facts.h"

#include <fmt/format.h>

#include <map>

#include "ledger/types/keys.h"
#include "light/encoding.h"
#include "light/proof.h"
#include "light/verify.h"

namespace cloister::trust {
namespace {

using Blocks = std::map<int64_t, light::VerifiedBlock>;

// A bundle is judged as of `checked_at`, however long ago that was; what matters is that the
// validators of its genesis signed, so the trusting period is as long as a chain may live.
constexpr int64_t kTrustingPeriodS = int64_t{100} * 365 * 24 * 3600;

std::expected<Blocks, std::string> verify_blocks(const Bundle& bundle) {
  if (bundle.blocks.empty()) return std::unexpected("no block of the ledger is there");
  auto first = light::verify_genesis(bundle.genesis.chain_id, light::validators_of(bundle.genesis),
                                     bundle.blocks[0]);
  if (!first) return std::unexpected(fmt::format("block 1: {}", light::describe(first.error())));
  light::TrustOptions options;
  options.trusting_period_s = kTrustingPeriodS;
  Blocks out;
  out.emplace(first->height(), *first);
  for (size_t i = 1; i < bundle.blocks.size(); ++i) {
    const auto& block = bundle.blocks[i];
    auto next = light::verify(*first, block, bundle.checked_at * 1000, options);
    if (!next) {
      return std::unexpected(fmt::format("block {}: {}", block.signed_header.header.height,
                                         light::describe(next.error())));
    }
    out.emplace(next->height(), *next);
  }
  return out;
}

template <typename T>
bool decode_into(const ProvenRead& read, std::optional<T>& out) {
  if (!read.value) return true;  // proven absent
  out = T::decode(*read.value);
  return out.has_value();
}

// False: the bytes are not a record of the family.
bool take(const ProvenRead& read, const light::VerifiedBlock& under, LedgerFacts& out) {
  switch (read.family) {
    case ledger::Family::instances:
      return decode_into(read, out.instance);
    case ledger::Family::models:
      return decode_into(read, out.model);
    case ledger::Family::policy:
      return !equal(read.key, as_bytes(ledger::kPolicyKey)) || decode_into(read, out.policy);
    case ledger::Family::sessions:
      out.session_proven_ms = under.time_ms();
      out.session_height = read.height;
      return decode_into(read, out.session);
    case ledger::Family::keys: {
      std::optional<ledger::KeySet> keys;
      if (!decode_into(read, keys)) return false;
      out.keys = std::move(keys).value_or(ledger::KeySet());
      out.keys_of = read.key;
      return true;
    }
    case ledger::Family::collateral: {
      std::optional<ledger::CollateralRecord> record;
      if (!decode_into(read, record)) return false;
      if (record) out.collateral.push_back(std::move(*record));
      return true;
    }
    default:
      return true;
  }
}

void count_power(const light::LightBlock& block, LedgerFacts& out) {
  out.signed_power = out.total_power = 0;
  const auto& signatures = block.signed_header.commit.signatures;
  for (size_t i = 0; i < block.validators.size(); ++i) {
    out.total_power += block.validators[i].power;
    bool committed = i < signatures.size() && signatures[i].flag == light::BlockIdFlag::commit;
    if (committed) out.signed_power += block.validators[i].power;
  }
}

}  // namespace

LedgerFacts prove_ledger(const Bundle& bundle) {
  LedgerFacts out;
  auto blocks = verify_blocks(bundle);
  if (!blocks) {
    out.fault = blocks.error();
    return out;
  }
  for (const auto& read : bundle.reads) {
    auto under = blocks->find(read.height + 1);
    auto name = ledger::name(read.family);
    if (under == blocks->end()) {
      out.fault = fmt::format("no header proves height {} of {}", read.height, name);
      return out;
    }
    auto value = read.value ? std::optional<Bytes>(*read.value) : std::nullopt;
    auto held = light::verify_read(read.proof, read.family, read.key, value,
                                   under->second.header().app_hash);
    if (!held || !take(read, under->second, out)) {
      out.fault = fmt::format("{} at height {}: {}", name, read.height,
                              held ? "not a record" : light::describe(held.error()));
      return out;
    }
    out.height = std::max(out.height, read.height);
  }
  if (out.session) {
    const auto confirmed = blocks->find(static_cast<int64_t>(out.session->confirmed_height));
    if (confirmed != blocks->end()) out.confirmed_ms = confirmed->second.time_ms();
  }
  count_power(bundle.blocks.back(), out);
  return out;
}

}  // namespace cloister::trust
