#include "chain/chain_testing.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/cbor.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

struct ToyTx {
  Hash32 sender{};
  uint64_t nonce = 0;
  Buffer key, value;
};

std::optional<ToyTx> decode(Bytes bytes) {
  CborReader in(bytes);
  ToyTx tx;
  if (in.array(4) != 4) in.fail();
  tx.sender = in.fixed<32>();
  tx.nonce = in.u64();
  tx.key = to_buffer(in.bytes(64));
  tx.value = to_buffer(in.bytes(kMaxTxBytes));
  if (!in.finish()) return std::nullopt;
  return tx;
}

TxCheck check_toy(const ToyState& state, Bytes bytes) {
  TxCheck out;
  out.wrong_nonce_code = kToyNonce;
  const auto tx = decode(bytes);
  if (!tx) {
    out.code = kToyMalformed;
    out.log = "malformed";
    return out;
  }
  out.sender = tx->sender;
  out.nonce = tx->nonce;
  const auto& nonces = state.at(kToyNonces).rows;
  const auto found = nonces.find(to_buffer(tx->sender));
  if (found != nonces.end()) out.next_nonce = *ByteReader(found->second).u64_be();
  return out;
}

class ToyView final : public StateView {
 public:
  explicit ToyView(ToyState state) : state_(std::move(state)) {
    for (const auto& [family, content] : state_) {
      roots_[static_cast<size_t>(family)] = content.tree.root();
    }
  }

  Hash32 app_hash() const override { return ledger::app_hash(roots_); }
  std::optional<ProvenRead> read(std::string_view name, Bytes key) const override {
    const auto family = ledger::family_from(name);
    if (!family || !state_.contains(*family)) return std::nullopt;
    const ToyFamily& content = state_.at(*family);
    ProvenRead out;
    const auto row = content.rows.find(to_buffer(key));
    if (row != content.rows.end()) out.value = row->second;
    const auto proof = ledger::make_store_proof(roots_, *family, content.tree.prove(key));
    out.proof = light::proof_ops(*family, key, proof);
    return out;
  }
  TxCheck check(Bytes tx) const override { return check_toy(state_, tx); }
  TxCheck check_again(Bytes tx) const override { return check_toy(state_, tx); }
  std::vector<StateRow> rows() const override {
    std::vector<StateRow> out;
    for (const auto& [family, content] : state_) {
      for (const auto& [key, value] : content.rows) {
        out.push_back({std::string(ledger::name(family)), key, value});
      }
    }
    return out;
  }

 private:
  ToyState state_;
  ledger::SubRoots roots_{};
};

}  // namespace

Hash32 toy_sender(uint8_t number) {
  Hash32 out{};
  out[0] = number;
  return out;
}

Buffer toy_tx(const Hash32& sender, uint64_t nonce, std::string_view key, std::string_view value) {
  CborWriter out;
  out.array(4).bytes(sender).u64(nonce).bytes(as_bytes(key)).bytes(as_bytes(value));
  return out.take();
}

ToyApplication::ToyApplication() : state_{{kToyNonces, {}}, {kToyValues, {}}} {
  put(kToyValues, to_buffer(as_bytes("genesis")), to_buffer(as_bytes("here")), nullptr);
}

void ToyApplication::put(ledger::Family family, const Buffer& key, std::optional<Buffer> value,
                         std::vector<StateChange>* changes) {
  ToyFamily& content = state_[family];
  if (value) {
    content.rows[key] = *value;
    content.tree.put(key, *value);
  } else {
    content.rows.erase(key);
    content.tree.erase(key);
  }
  if (changes) changes->push_back({std::string(ledger::name(family)), key, std::move(value)});
}

Status ToyApplication::restore(std::vector<StateRow> rows, const Hash32& root) {
  for (auto& [family, content] : state_) content = ToyFamily();
  for (StateRow& row : rows) {
    const auto family = ledger::family_from(row.family);
    if (!family || !state_.contains(*family)) return std::unexpected(ChainError::damaged);
    put(*family, row.key, std::move(row.value), nullptr);
  }
  if (view()->app_hash() != root) return std::unexpected(ChainError::root_mismatch);
  return {};
}

BlockOutput ToyApplication::apply(const BlockInput& block) {
  BlockOutput out;
  for (const Buffer& bytes : block.txs) {
    TxResult result;
    const TxCheck checked = check_toy(state_, bytes);
    const auto tx = decode(bytes);
    if (checked.code != 0 || checked.nonce != checked.next_nonce) {
      result.outcome.code = checked.code != 0 ? checked.code : kToyNonce;
    } else {
      const Buffer nonce = ByteWriter().u64_be(tx->nonce + 1).take();
      put(kToyNonces, to_buffer(tx->sender), nonce, &out.changes);
      const bool fails = !tx->key.empty() && tx->key[0] == '!';
      std::optional<Buffer> value;
      if (!tx->value.empty()) value = tx->value;
      if (!fails) put(kToyValues, tx->key, value, &out.changes);
      result.outcome.code = fails ? kToyFailure : 0;
      result.events.push_back({"put", {{"key", std::string(as_text(tx->key))}}});
    }
    out.results.push_back(std::move(result));
  }
  out.app_hash = view()->app_hash();
  return out;
}

std::shared_ptr<const StateView> ToyApplication::view() const {
  return std::make_shared<ToyView>(state_);
}

crypto::Ed25519Key test_key(uint64_t seed) {
  SeededRandom random(seed);
  return crypto::Ed25519Key::generate(random);
}

LocalConfig toy_config(const std::string& path) {
  LocalConfig config;
  config.path = path;
  config.chain_id = "toy-1";
  config.genesis_hash = crypto::sha256(as_bytes("toy genesis"));
  config.genesis_time_ms = kTestGenesisMs;
  config.validator = test_key(1).public_key();
  return config;
}

Result<LocalChain> open_toy(const std::string& path) {
  return LocalChain::open(toy_config(path), std::make_unique<ToyApplication>(), test_key(1));
}

}  // namespace cloister::chain
