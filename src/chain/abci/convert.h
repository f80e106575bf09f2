// Between the messages of ABCI and what an application speaks of.
#pragma once

#include <optional>

#include "chain/abci/messages.pb.h"
#include "chain/application.h"

namespace cloister::chain::abci {

inline Bytes bytes_of(const std::string& text) {
  return as_bytes(text);
}
inline std::string string_of(Bytes bytes) {
  return std::string(as_text(bytes));
}

template <typename Repeated>
std::vector<Buffer> buffers_of(const Repeated& list) {
  std::vector<Buffer> out;
  out.reserve(static_cast<size_t>(list.size()));
  for (const std::string& each : list) out.push_back(to_buffer(bytes_of(each)));
  return out;
}

UnixMillis time_ms_of(const Timestamp& time);
// Nothing when an address has another size: then nobody can be meant.
std::vector<chain::Misbehavior> faults_of(
    const google::protobuf::RepeatedPtrField<Misbehavior>& list);
std::optional<chain::ValidatorUpdate> update_of(const ValidatorUpdate& update);

void write(const chain::TxResult& result, ExecTxResult& out);
void write(const light::Event& event, Event& out);
void write(const chain::ValidatorUpdate& update, ValidatorUpdate& out);

// What a transaction takes of a proposal's `max_tx_bytes`: its bytes, their length and a tag.
size_t proposal_size(size_t tx_bytes);

}  // namespace cloister::chain::abci
