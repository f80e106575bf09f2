#include "chain/ledger_application.h"

#include <algorithm>

#include "ledger/types/keys.h"

namespace cloister::chain {
namespace {

class LedgerView final : public StateView {
 public:
  LedgerView(ledger::Snapshot snapshot, std::string chain_id, uint64_t min_fee_micro)
      : snapshot_(std::move(snapshot)),
        chain_id_(std::move(chain_id)),
        min_fee_micro_(min_fee_micro) {}

  Hash32 app_hash() const override { return snapshot_.app_hash(); }
  std::optional<ProvenRead> read(std::string_view name, Bytes key) const override {
    const auto family = ledger::family_from(name);
    if (!family) return std::nullopt;
    ProvenRead out;
    out.value = snapshot_.get(*family, key);
    out.proof = light::proof_ops(*family, key, snapshot_.prove(*family, key));
    return out;
  }

  TxCheck check(Bytes tx) const override { return check(tx, false); }
  TxCheck check_again(Bytes tx) const override { return check(tx, true); }

  std::vector<StateRow> rows() const override {
    std::vector<StateRow> out;
    for (size_t i = 0; i < ledger::kFamilyCount; ++i) {
      const auto family = static_cast<ledger::Family>(i);
      const auto begin = static_cast<std::ptrdiff_t>(out.size());
      snapshot_.for_each(family, [&](Bytes key, Bytes value) {
        out.push_back({std::string(ledger::name(family)), to_buffer(key), to_buffer(value)});
      });
      std::sort(out.begin() + begin, out.end(),
                [](const StateRow& a, const StateRow& b) { return a.key < b.key; });
    }
    return out;
  }

 private:
  TxCheck check(Bytes tx, bool again) const {
    ledger::TxCheck checked = ledger::check_tx(snapshot_, chain_id_, min_fee_micro_, tx, again);
    TxCheck out;
    out.code = static_cast<uint32_t>(checked.code);
    out.log = std::move(checked.log);
    out.sender = checked.sender;
    out.nonce = checked.nonce;
    out.next_nonce = checked.next_nonce;
    out.wrong_nonce_code = static_cast<uint32_t>(ledger::Code::wrong_nonce);
    return out;
  }

  const ledger::Snapshot snapshot_;
  const std::string chain_id_;
  const uint64_t min_fee_micro_;
};

}  // namespace

LedgerApplication::LedgerApplication(ledger::State state, ledger::State::Verifier verifier,
                                     std::optional<ledger::BeaconSecret> beacon)
    : state_(std::move(state)), verifier_(std::move(verifier)), beacon_(std::move(beacon)) {}

Result<std::unique_ptr<LedgerApplication>> LedgerApplication::create(
    const ledger::Genesis& genesis, ledger::State::Verifier verifier,
    std::optional<ledger::BeaconSecret> beacon) {
  auto state = ledger::State::from_genesis(genesis, verifier);
  if (!state) return std::unexpected(ChainError::bad_genesis);
  return std::unique_ptr<LedgerApplication>(
      new LedgerApplication(std::move(*state), std::move(verifier), std::move(beacon)));
}

Status LedgerApplication::restore(std::vector<StateRow> rows, const Hash32& root) {
  std::vector<ledger::StoreChange> values;
  values.reserve(rows.size());
  for (StateRow& row : rows) {
    const auto family = ledger::family_from(row.family);
    if (!family) return std::unexpected(ChainError::root_mismatch);
    values.push_back({*family, std::move(row.key), std::move(row.value)});
  }
  ledger::Store store = ledger::Store::load(values);
  if (store.sealed().app_hash() != root) return std::unexpected(ChainError::root_mismatch);
  auto state = ledger::State::from_store(std::move(store), verifier_);
  if (!state) return std::unexpected(ChainError::bad_genesis);
  state_ = std::move(*state);
  return {};
}

BlockOutput LedgerApplication::apply(const BlockInput& block) {
  ledger::BlockInput input;
  input.height = static_cast<uint64_t>(block.height);
  input.time_ms = block.time_ms;
  input.hash = block.hash;
  input.txs = block.txs;
  std::vector<ledger::Misbehavior> faults;
  for (const Misbehavior& fault : block.misbehavior) {
    faults.push_back({fault.validator, static_cast<uint64_t>(fault.height)});
  }
  input.misbehavior = faults;
  ledger::BlockResult result = state_.apply(input);
  BlockOutput out;
  out.app_hash = result.app_hash;
  for (const ledger::ValidatorUpdate& update : result.validator_updates) {
    out.validator_updates.push_back({update.public_key, static_cast<int64_t>(update.power)});
  }
  for (ledger::TxResult& tx : result.txs) {
    TxResult report;
    report.outcome.code = static_cast<uint32_t>(tx.code);
    report.outcome.data = std::move(tx.data);
    report.log = std::move(tx.log);
    for (ledger::Event& event : tx.events) {
      report.events.push_back({std::move(event.type), std::move(event.attributes)});
    }
    out.results.push_back(std::move(report));
  }
  for (ledger::Event& event : result.events) {
    out.events.push_back({std::move(event.type), std::move(event.attributes)});
  }
  for (ledger::StoreChange& change : state_.take_changes()) {
    out.changes.push_back(
        {std::string(ledger::name(change.family)), std::move(change.key), std::move(change.value)});
  }
  return out;
}

bool LedgerApplication::work_due(int64_t height) const {
  return state_.work_due(static_cast<uint64_t>(height));
}

Buffer LedgerApplication::offer(int64_t height) const {
  if (!beacon_) return {};
  const auto shares = state_.shares_of(static_cast<uint64_t>(height), *beacon_);
  return shares.entries.empty() ? Buffer() : shares.encode();
}

std::optional<Buffer> LedgerApplication::front(int64_t height,
                                               std::span<const Buffer> offers) const {
  std::vector<ledger::BeaconShares> shares;
  for (const Buffer& offer : offers) {
    if (auto read = ledger::read_beacon_shares(offer)) shares.push_back(std::move(*read));
  }
  return state_.front(static_cast<uint64_t>(height), shares);
}

bool LedgerApplication::may_be_front(int64_t height, Bytes tx) const {
  return state_.check_front(static_cast<uint64_t>(height), tx) == ledger::Code::ok;
}

std::shared_ptr<const StateView> LedgerApplication::view() const {
  return std::make_shared<LedgerView>(state_.store().sealed(), state_.genesis().chain_id,
                                      state_.params().min_fee_micro);
}

}  // namespace cloister::chain
