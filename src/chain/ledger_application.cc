#include "chain/ledger_application.h"

#include "ledger/types/account.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"

namespace cloister::chain {
namespace {

class LedgerView final : public StateView {
 public:
  explicit LedgerView(ledger::Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  Hash32 app_hash() const override { return snapshot_.app_hash(); }
  std::optional<ProvenRead> read(std::string_view name, Bytes key) const override {
    const auto family = ledger::family_from(name);
    if (!family) return std::nullopt;
    ProvenRead out;
    out.value = snapshot_.get(*family, key);
    out.proof = light::proof_ops(*family, key, snapshot_.prove(*family, key));
    return out;
  }

 private:
  ledger::Snapshot snapshot_;
};

}  // namespace

LedgerApplication::LedgerApplication(ledger::State state, ledger::State::Verifier verifier,
                                     crypto::Ed25519Key key, ledger::BeaconSecret beacon)
    : state_(std::move(state)),
      verifier_(std::move(verifier)),
      key_(std::move(key)),
      beacon_(std::move(beacon)) {}

Result<std::unique_ptr<LedgerApplication>> LedgerApplication::create(
    const ledger::Genesis& genesis, ledger::State::Verifier verifier, crypto::Ed25519Key key,
    ledger::BeaconSecret beacon) {
  auto state = ledger::State::from_genesis(genesis, verifier);
  if (!state) return std::unexpected(ChainError::bad_genesis);
  return std::unique_ptr<LedgerApplication>(new LedgerApplication(
      std::move(*state), std::move(verifier), std::move(key), std::move(beacon)));
}

std::vector<StateRow> LedgerApplication::genesis_rows() const {
  std::vector<StateRow> rows;
  for (size_t i = 0; i < ledger::kFamilyCount; ++i) {
    const auto family = static_cast<ledger::Family>(i);
    state_.store().for_each(family, {}, [&](Bytes key, Bytes value) {
      rows.push_back({std::string(ledger::name(family)), to_buffer(key), to_buffer(value)});
      return true;
    });
  }
  return rows;
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
  ledger::BlockResult result = state_.apply(input);
  BlockOutput out;
  out.app_hash = result.app_hash;
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

TxCheck LedgerApplication::check(Bytes tx) const {
  ledger::TxCheck checked = state_.check(tx);
  TxCheck out;
  out.code = static_cast<uint32_t>(checked.code);
  out.log = std::move(checked.log);
  out.sender = checked.sender;
  out.nonce = checked.nonce;
  out.next_nonce = checked.next_nonce;
  return out;
}

uint32_t LedgerApplication::wrong_nonce_code() const {
  return static_cast<uint32_t>(ledger::Code::wrong_nonce);
}

uint64_t LedgerApplication::next_nonce(const ledger::AccountId& account) const {
  const auto stored = state_.store().get(ledger::Family::accounts, ledger::id_key(account));
  const auto decoded = stored ? ledger::Account::decode(*stored) : std::nullopt;
  return decoded ? decoded->nonce : 0;
}

bool LedgerApplication::work_due(int64_t height) const {
  return state_.work_due(static_cast<uint64_t>(height));
}

std::vector<Buffer> LedgerApplication::own_txs(int64_t height) const {
  const ledger::Genesis& genesis = state_.genesis();
  uint64_t nonce = next_nonce(key_.public_key());
  std::vector<Buffer> out;
  for (uint64_t wanted : state_.beacons_wanted(static_cast<uint64_t>(height))) {
    ledger::PutBeaconShare body;
    body.height = wanted;
    body.share = ledger::make_beacon_share(genesis.chain_id, genesis.beacon.epoch, wanted, beacon_);
    out.push_back(ledger::make_tx(genesis.chain_id, nonce++, body, key_));
  }
  return out;
}

std::shared_ptr<const StateView> LedgerApplication::view() const {
  return std::make_shared<LedgerView>(state_.store().sealed());
}

}  // namespace cloister::chain
