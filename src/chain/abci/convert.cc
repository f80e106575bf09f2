#include "chain/abci/convert.h"

namespace cloister::chain::abci {

UnixMillis time_ms_of(const Timestamp& time) {
  return light::Timestamp{time.seconds(), time.nanos()}.to_ms();
}

std::vector<chain::Misbehavior> faults_of(
    const google::protobuf::RepeatedPtrField<Misbehavior>& list) {
  std::vector<chain::Misbehavior> out;
  for (const Misbehavior& each : list) {
    const auto address = to_fixed<20>(bytes_of(each.validator().address()));
    if (address) out.push_back({*address, each.height()});
  }
  return out;
}

std::optional<chain::ValidatorUpdate> update_of(const ValidatorUpdate& update) {
  const auto key = to_fixed<32>(bytes_of(update.pub_key().ed25519()));
  if (!key) return std::nullopt;
  return chain::ValidatorUpdate{*key, update.power()};
}

void write(const light::Event& event, Event& out) {
  out.set_type(event.type);
  for (const auto& [key, value] : event.attributes) {
    EventAttribute& attribute = *out.add_attributes();
    attribute.set_key(key);
    attribute.set_value(value);
  }
}

void write(const chain::TxResult& result, ExecTxResult& out) {
  out.set_code(result.outcome.code);
  out.set_data(string_of(result.outcome.data));
  out.set_log(result.log);
  out.set_gas_wanted(result.outcome.gas_wanted);
  out.set_gas_used(result.outcome.gas_used);
  for (const light::Event& event : result.events) write(event, *out.add_events());
}

void write(const chain::ValidatorUpdate& update, ValidatorUpdate& out) {
  out.mutable_pub_key()->set_ed25519(string_of(update.public_key));
  out.set_power(update.power);
}

size_t proposal_size(size_t tx_bytes) {
  size_t length = 1;
  for (size_t rest = tx_bytes; rest >= 0x80; rest >>= 7) ++length;
  return 1 + length + tx_bytes;
}

}  // namespace cloister::chain::abci
