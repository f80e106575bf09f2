// A small application for tests of the driver: named values, written by senders with nonces.
#pragma once

#include <map>

#include "base/temporary_folder_testing.h"
#include "chain/local_chain.h"
#include "merkle/tree.h"

namespace cloister::chain {

// tx = CBOR [sender, nonce, key, value]; an empty value removes the key. A key that begins with '!'
// fails with kToyFailure when applied.
constexpr uint32_t kToyMalformed = 1, kToyNonce = 2, kToyFailure = 3;
Hash32 toy_sender(uint8_t number);
Buffer toy_tx(const Hash32& sender, uint64_t nonce, std::string_view key, std::string_view value);
constexpr ledger::Family kToyNonces = ledger::Family::accounts;
constexpr ledger::Family kToyValues = ledger::Family::jobs;

struct ToyFamily {
  std::map<Buffer, Buffer> rows;
  merkle::Tree tree;
};
using ToyState = std::map<ledger::Family, ToyFamily>;

class ToyApplication final : public Application {
 public:
  ToyApplication();
  Status restore(std::vector<StateRow> rows, const Hash32& root) override;
  BlockOutput apply(const BlockInput& block) override;
  bool work_due(int64_t height) const override { return height == work_due_at; }
  Buffer offer(int64_t) const override { return {}; }
  std::optional<Buffer> front(int64_t, std::span<const Buffer>) const override { return {}; }
  bool may_be_front(int64_t, Bytes) const override { return true; }
  std::shared_ptr<const StateView> view() const override;

  int64_t work_due_at = 0;

 private:
  void put(ledger::Family family, const Buffer& key, std::optional<Buffer> value,
           std::vector<StateChange>* changes);
  ToyState state_;
};

crypto::Ed25519Key test_key(uint64_t seed);
constexpr UnixMillis kTestGenesisMs = 1'700'000'000'000;
LocalConfig toy_config(const std::string& path);
Result<LocalChain> open_toy(const std::string& path);

}  // namespace cloister::chain
