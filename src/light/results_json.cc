#include "light/results_json.h"

#include "light/field_reader.h"

namespace cloister::light {
namespace {

constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxDataBytes = 1 << 20;
constexpr size_t kMaxTxBytes = 1 << 20;
constexpr size_t kMaxEvents = 100'000;
constexpr size_t kMaxAttributes = 64;

std::unexpected<LightError> malformed() {
  return std::unexpected(LightError::bad_json);
}

JsonValue to_json(const std::vector<Event>& events) {
  JsonValue out = JsonValue::Array();
  for (const Event& event : events) {
    JsonValue attributes = JsonValue::Array();
    for (const auto& [key, value] : event.attributes) {
      attributes.push(JsonValue::object({{"key", key}, {"value", value}, {"index", false}}));
    }
    out.push(JsonValue::object({{"type", event.type}, {"attributes", attributes}}));
  }
  return out;
}

std::vector<Event> read_events(FieldReader& r, const JsonValue& value) {
  std::vector<Event> out;
  for (const JsonValue& item : r.list_or_null(value, kMaxEvents)) {
    Event event;
    event.type = r.text(item["type"], kMaxTextBytes);
    for (const JsonValue& attribute : r.list_or_null(item["attributes"], kMaxAttributes)) {
      std::string key = r.text(attribute["key"], kMaxTextBytes);
      event.attributes.emplace_back(std::move(key), r.text(attribute["value"], kMaxTextBytes));
    }
    out.push_back(std::move(event));
  }
  return out;
}

TxReport read_report(FieldReader& r, const JsonValue& value) {
  TxReport out;
  out.outcome.code = static_cast<uint32_t>(r.number(value["code"], UINT32_MAX));
  out.outcome.data = r.base64_or_null(value["data"], kMaxDataBytes);
  out.outcome.gas_wanted = r.int64(value["gas_wanted"]);
  out.outcome.gas_used = r.int64(value["gas_used"]);
  out.log = r.text(value["log"], kMaxTextBytes);
  out.events = read_events(r, value["events"]);
  return out;
}

}  // namespace

JsonValue to_json(const TxReport& report) {
  JsonValue data;
  if (!report.outcome.data.empty()) data = to_base64(report.outcome.data);
  return JsonValue::object({{"code", report.outcome.code},
                            {"data", data},
                            {"log", report.log},
                            {"info", ""},
                            {"gas_wanted", decimal(report.outcome.gas_wanted)},
                            {"gas_used", decimal(report.outcome.gas_used)},
                            {"events", to_json(report.events)},
                            {"codespace", ""}});
}

JsonValue to_json(const BlockResults& results) {
  JsonValue txs = JsonValue::Array();
  for (const TxReport& report : results.txs) txs.push(to_json(report));
  return JsonValue::object({{"height", decimal(results.height)},
                            {"txs_results", txs},
                            {"finalize_block_events", to_json(results.events)},
                            {"validator_updates", JsonValue::Array()},
                            {"consensus_param_updates", JsonValue()}});
}

Parsed<BlockResults> parse_block_results(const JsonValue& value) {
  FieldReader reader;
  BlockResults out;
  out.height = reader.int64(value["height"]);
  for (const JsonValue& report : reader.list_or_null(value["txs_results"], kMaxTxsInBlock)) {
    out.txs.push_back(read_report(reader, report));
  }
  out.events = read_events(reader, value["finalize_block_events"]);
  if (!reader.ok()) return malformed();
  return out;
}

JsonValue to_json(const BroadcastResult& result) {
  return JsonValue::object({{"code", result.code},
                            {"data", ""},
                            {"log", result.log},
                            {"codespace", ""},
                            {"hash", to_hex_upper(result.tx_id)}});
}

Parsed<BroadcastResult> parse_broadcast_result(const JsonValue& value) {
  FieldReader reader;
  BroadcastResult out;
  out.code = static_cast<uint32_t>(reader.number(value["code"], UINT32_MAX));
  out.log = reader.text(value["log"], kMaxTextBytes);
  const auto id = to_fixed<32>(reader.hex(value["hash"], 32));
  if (!reader.ok() || !id) return malformed();
  out.tx_id = *id;
  return out;
}

Parsed<TxPlace> parse_tx_place(const JsonValue& value) {
  FieldReader reader;
  TxPlace out;
  out.height = reader.int64(value["height"]);
  out.index = static_cast<size_t>(reader.number(value["index"], kMaxTxsInBlock));
  if (!reader.ok() || out.height < 1) return malformed();
  return out;
}

Parsed<std::vector<Buffer>> parse_block_txs(const JsonValue& value) {
  FieldReader reader;
  std::vector<Buffer> out;
  for (const JsonValue& tx : reader.list_or_null(value["block"]["data"]["txs"], kMaxTxsInBlock)) {
    out.push_back(reader.base64(tx, kMaxTxBytes));
  }
  if (!reader.ok()) return malformed();
  return out;
}

}  // namespace cloister::light
