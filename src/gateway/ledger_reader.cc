#include "gateway/ledger_reader.h"

#include <algorithm>
#include <set>

namespace cloister::gateway {

namespace {
constexpr light::Millis kReadTimeout{15'000};
}

LedgerReader::Answer<light::ProvenValue> LedgerReader::remember(ledger::Family family, Buffer key,
                                                                int64_t min_height) {
  auto read = co_await client_.read(family, key, min_height, kReadTimeout);
  if (!read) co_return read;
  std::erase_if(reads_, [&](const trust::ProvenRead& old) {
    return old.family == family &&
           old.key == key;  // the newest read of a key is the one that counts
  });
  reads_.push_back({family, std::move(key), read->value, read->height, read->proof});
  co_return read;
}

LedgerReader::Answer<std::vector<ledger::CollateralRecord>> LedgerReader::collateral(
    std::vector<evidence::CollateralName> names) {
  std::vector<ledger::CollateralRecord> out;
  for (const evidence::CollateralName& name : names) {
    const auto kind = static_cast<ledger::CollateralKind>(name.kind);
    auto item = co_await record<ledger::CollateralRecord>(ledger::Family::collateral,
                                                          ledger::collateral_key(kind, name.id));
    if (!item) co_return std::unexpected(item.error());
    if (*item) {
      out.push_back(std::move(**item));
    } else {
      reads_.pop_back();  // no verdict rests on what is not there
    }
  }
  co_return out;
}

LedgerReader::Answer<trust::Bundle> LedgerReader::bundle(const ledger::Genesis& genesis,
                                                         std::optional<int64_t> also) {
  trust::Bundle out;
  out.genesis = genesis;
  out.reads = reads_;
  std::set<int64_t> heights{1};
  if (also) heights.insert(*also);
  for (const auto& read : reads_) heights.insert(read.height + 1);
  for (int64_t height : heights) {
    auto block = co_await client_.light_block(height);
    if (!block) co_return std::unexpected(block.error());
    out.blocks.push_back(std::move(*block));
  }
  co_return out;
}

}  // namespace cloister::gateway
