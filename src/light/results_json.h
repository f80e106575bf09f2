// The JSON forms of what a block did: /block_results, /broadcast_tx_sync, /tx and the transactions
// of /block. Codes, data and gas are what the next header commits to; logs and events are hints.
#pragma once

#include "light/encoding.h"
#include "light/json_form.h"

namespace cloister::light {

struct Event {
  std::string type;
  std::vector<std::pair<std::string, std::string>> attributes;
  bool operator==(const Event&) const = default;
};

struct TxReport {
  TxOutcome outcome;
  std::string log;
  std::vector<Event> events;
  bool operator==(const TxReport&) const = default;
};
JsonValue to_json(const TxReport& report);

struct BlockResults {
  int64_t height = 0;
  std::vector<TxReport> txs;
  std::vector<Event> events;  // of the block itself
  bool operator==(const BlockResults&) const = default;
};
JsonValue to_json(const BlockResults& results);
Parsed<BlockResults> parse_block_results(const JsonValue& value);

// `result` of /broadcast_tx_sync: what the mempool said.
struct BroadcastResult {
  uint32_t code = 0;
  std::string log;
  Hash32 tx_id{};
  bool operator==(const BroadcastResult&) const = default;
};
JsonValue to_json(const BroadcastResult& result);
Parsed<BroadcastResult> parse_broadcast_result(const JsonValue& value);

// `result` of /tx, as far as it is used: where the transaction is said to stand.
struct TxPlace {
  int64_t height = 0;
  size_t index = 0;
};
Parsed<TxPlace> parse_tx_place(const JsonValue& value);

// `block.data.txs` of /block.
constexpr size_t kMaxTxsInBlock = 10'000;
Parsed<std::vector<Buffer>> parse_block_txs(const JsonValue& value);

}  // namespace cloister::light
