#include "chain/rpc_methods.h"

#include "base/text.h"

namespace cloister::chain {
namespace {

constexpr std::string_view kStorePath = "/store/";
constexpr size_t kMaxKeyBytes = 1024;
constexpr int64_t kDefaultPerPage = 30;  // CometBFT's

std::unexpected<RpcFault> refuse(RpcCode code, std::string_view detail) {
  return std::unexpected(RpcFault{code, std::string(detail)});
}

JsonValue base64_list(const std::vector<Buffer>& items) {
  JsonValue out = JsonValue::Array();
  for (const Buffer& item : items) out.push(to_base64(item));
  return out;
}

JsonValue genesis_form(const HeaderParts& parts, JsonValue app_state) {
  JsonValue validators = JsonValue::Array();
  for (const light::Validator& v : parts.validators) {
    const JsonValue form = light::to_json(v);
    validators.push(JsonValue::object({{"address", form["address"]},
                                       {"pub_key", form["pub_key"]},
                                       {"power", light::decimal(v.power)},
                                       {"name", ""}}));
  }
  JsonValue genesis = JsonValue::object({{"chain_id", parts.chain_id},
                                         {"initial_height", "1"},
                                         {"validators", validators},
                                         {"app_hash", ""},
                                         {"app_state", std::move(app_state)}});
  return JsonValue::object({{"genesis", std::move(genesis)}});
}

}  // namespace

RpcMethods::RpcMethods(LocalChain& chain, JsonValue genesis)
    : chain_(chain), genesis_(genesis_form(chain.parts(), std::move(genesis))) {}

RpcAnswer RpcMethods::answer(const RpcCall& call) {
  switch (call.method) {
    case RpcMethod::health:
      return JsonValue::Object();
    case RpcMethod::status:
      return status();
    case RpcMethod::genesis:
      return genesis_;
    case RpcMethod::commit:
      return commit(call);
    case RpcMethod::validators:
      return validators(call);
    case RpcMethod::block:
      return block(call);
    case RpcMethod::block_results:
      return block_results(call);
    case RpcMethod::abci_query:
      return query(call);
    case RpcMethod::broadcast_tx_sync:
      return broadcast(call);
    case RpcMethod::tx:
      return tx(call);
  }
  return refuse(RpcCode::method_not_found, "no such method");
}

// The newest block when no height is named.
std::expected<Block, RpcFault> RpcMethods::block_of(const RpcCall& call) const {
  const int64_t height = call.get<int64_t>("height").value_or(chain_.height());
  if (height < 1 && call.arguments.contains("height")) {
    return refuse(RpcCode::invalid_params, "a height begins at 1");
  }
  if (height < 1 || height > chain_.height()) {
    return refuse(RpcCode::internal, "the height is above the newest block");
  }
  if (height > 1 && height < chain_.earliest()) {
    // CometBFT's words: clients know pruned blocks by them.
    return refuse(RpcCode::internal, "height " + light::decimal(height) +
                                         " is not available, lowest height is " +
                                         light::decimal(chain_.earliest()));
  }
  auto block = chain_.block(height);
  if (!block) return refuse(RpcCode::internal, describe(block.error()));
  return std::move(*block);
}

RpcAnswer RpcMethods::status() const {
  const auto& last = chain_.last();
  const HeaderParts& parts = chain_.parts();
  const JsonValue own = light::to_json(parts.validators[0]);
  JsonValue node = JsonValue::object(
      {{"network", parts.chain_id}, {"version", "embedded"}, {"moniker", "cloister"}});
  JsonValue sync;
  sync.set("latest_block_hash", last ? to_hex_upper(last->signed_header.commit.block_id.hash) : "");
  sync.set("latest_app_hash", last ? to_hex_upper(last->header().app_hash) : "");
  sync.set("latest_block_height", light::decimal(chain_.height()));
  sync.set("latest_block_time", light::time_text(last ? last->header().time : light::Timestamp()));
  sync.set("earliest_block_height", light::decimal(chain_.earliest()));
  sync.set("catching_up", false);
  return JsonValue::object({{"node_info", node}, {"sync_info", sync}, {"validator_info", own}});
}

RpcAnswer RpcMethods::commit(const RpcCall& call) const {
  const auto block = block_of(call);
  if (!block) return std::unexpected(block.error());
  return JsonValue::object(
      {{"signed_header", light::to_json(block->signed_header)}, {"canonical", true}});
}

RpcAnswer RpcMethods::validators(const RpcCall& call) const {
  const auto block = block_of(call);
  if (!block) return std::unexpected(block.error());
  const int64_t page = call.get<int64_t>("page").value_or(1);
  const int64_t per_page = call.get<int64_t>("per_page").value_or(kDefaultPerPage);
  if (page != 1 || per_page < 1) return refuse(RpcCode::invalid_params, "no such page");
  const light::ValidatorSet& set = chain_.parts().validators;
  return light::to_json(light::ValidatorsPage{block->height(), set.size(), set});
}

RpcAnswer RpcMethods::block(const RpcCall& call) const {
  const auto block = block_of(call);
  if (!block) return std::unexpected(block.error());
  light::Commit last_commit;
  if (block->height() > 1) {
    const auto before = chain_.block(block->height() - 1);
    if (!before) return refuse(RpcCode::internal, describe(before.error()));
    last_commit = before->signed_header.commit;
  }
  JsonValue data = JsonValue::object({{"txs", base64_list(block->txs)}});
  JsonValue evidence = JsonValue::object({{"evidence", JsonValue::Array()}});
  JsonValue body = JsonValue::object({{"header", light::to_json(block->header())},
                                      {"data", data},
                                      {"evidence", evidence},
                                      {"last_commit", light::to_json(last_commit)}});
  return JsonValue::object(
      {{"block_id", light::to_json(block->signed_header.commit.block_id)}, {"block", body}});
}

RpcAnswer RpcMethods::block_results(const RpcCall& call) const {
  auto block = block_of(call);
  if (!block) return std::unexpected(block.error());
  light::BlockResults results;
  results.height = block->height();
  results.txs = std::move(block->results);
  results.events = std::move(block->events);
  JsonValue out = light::to_json(results);
  out.set("app_hash", to_hex_upper(block->app_hash));
  return out;
}

RpcAnswer RpcMethods::query(const RpcCall& call) const {
  const std::string path = call.get<std::string>("path").value_or("");
  const Buffer key = call.get<Buffer>("data").value_or(Buffer());
  if (!path.starts_with(kStorePath) || key.size() > kMaxKeyBytes) {
    return refuse(RpcCode::invalid_params, "the path is /store/ and a family; keys are short");
  }
  int64_t height = call.get<int64_t>("height").value_or(0);
  if (height == 0) height = chain_.height();
  const auto view = chain_.view_at(height);
  if (!view) return refuse(RpcCode::internal, "the state of this height is not kept");
  auto read = view->read(std::string_view(path).substr(kStorePath.size()), key);
  if (!read) return refuse(RpcCode::invalid_params, "no such family");
  light::QueryResponse response;
  response.key = key;
  response.value = std::move(read->value);
  if (call.get<bool>("prove").value_or(false)) response.proof = std::move(read->proof);
  response.height = height;
  return JsonValue::object({{"response", light::to_json(response)}});
}

// A transaction that waits already is a success: whoever lost our answer may ask again.
RpcAnswer RpcMethods::broadcast(const RpcCall& call) {
  const auto tx = call.get<Buffer>("tx");
  if (!tx) return refuse(RpcCode::invalid_params, "no transaction");
  if (chain_.stopped()) return refuse(RpcCode::internal, describe(*chain_.stopped()));
  const Mempool::Verdict verdict = chain_.submit(*tx);
  light::BroadcastResult result;
  result.tx_id = light::tx_id(*tx);
  result.code = verdict.code;
  result.log = verdict.log;
  switch (verdict.admission) {
    case Admission::full:
    case Admission::too_large:
      return refuse(RpcCode::internal, describe(verdict.admission));
    case Admission::wrong_nonce:
      result.log = describe(verdict.admission);
      break;
    case Admission::accepted:
    case Admission::already_waiting:
    case Admission::refused:
      break;
  }
  return light::to_json(result);
}

RpcAnswer RpcMethods::tx(const RpcCall& call) const {
  const auto id = to_fixed<32>(call.get<Buffer>("hash").value_or(Buffer()));
  if (!id) return refuse(RpcCode::invalid_params, "a hash has 32 bytes");
  // Sent again after a refusal: what counts is the block to come.
  if (chain_.waits(*id)) return refuse(RpcCode::internal, "the transaction waits for a block");
  const auto place = chain_.find_tx(*id);
  if (!place) return refuse(RpcCode::internal, describe(place.error()));
  if (!*place) return refuse(RpcCode::internal, "no block holds this transaction");
  const auto block = chain_.block((*place)->height);
  if (!block) return refuse(RpcCode::internal, describe(block.error()));
  const size_t index = (*place)->index;
  if (index >= block->txs.size() || light::tx_id(block->txs[index]) != *id) {
    return refuse(RpcCode::internal, describe(ChainError::damaged));
  }
  return JsonValue::object({{"hash", to_hex_upper(*id)},
                            {"height", light::decimal(block->height())},
                            {"index", index},
                            {"tx_result", light::to_json(block->results[index])},
                            {"tx", to_base64(block->txs[index])}});
}

}  // namespace cloister::chain
