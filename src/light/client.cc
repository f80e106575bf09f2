#include "light/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/cbor.h"
#include "base/text.h"
#include "light/proof.h"

namespace cloister::light {
namespace {

constexpr size_t kMaxVerifiedKept = 256;
constexpr Millis kLongestPoll{20'000};

std::unexpected<LightError> refuse(LightError error) {
  return std::unexpected(error);
}

std::chrono::steady_clock::time_point after(Millis timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

Millis left_until(std::chrono::steady_clock::time_point deadline) {
  return std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
}

// Refusals that a later block may turn into an answer.
bool may_come(LightError error) {
  return error == LightError::remote_refused || error == LightError::not_yet;
}

JsonValue at_height(int64_t height) {
  return JsonValue::object({{"height", decimal(height)}});
}

JsonValue query_params(ledger::Family family, Bytes key, int64_t height) {
  return JsonValue::object({{"path", "/store/" + std::string(ledger::name(family))},
                            {"data", to_hex(key)},
                            {"height", decimal(height)},
                            {"prove", true}});
}

}  // namespace

TrustStart trust_of(const ledger::Genesis& genesis) {
  TrustStart start;
  start.chain_id = genesis.chain_id;
  start.fixed_validators = genesis.embedded;
  for (const ledger::Validator& v : genesis.validators) {
    start.genesis_validators.push_back({v.public_key, static_cast<int64_t>(v.power)});
  }
  return start;
}

Client::Client(asio::any_io_executor executor, std::unique_ptr<Rpc> rpc, const Clock& clock,
               TrustStart start, ClientConfig config)
    : strand_(asio::make_strand(executor)),
      rpc_(std::move(rpc)),
      clock_(clock),
      start_(std::move(start)),
      config_(config) {
  sort_validators(start_.genesis_validators);
  if (start_.fixed_validators) config_.trust.trusting_period_s = kMaxPeriodSeconds;
}

Client::Answer<ProvenValue> Client::read(ledger::Family family, Buffer key, int64_t min_height,
                                         Millis timeout) {
  return asio::co_spawn(strand_, do_read(family, std::move(key), min_height, after(timeout)),
                        asio::use_awaitable);
}

Client::Answer<BroadcastResult> Client::broadcast(Buffer tx) {
  return asio::co_spawn(strand_, do_broadcast(std::move(tx)), asio::use_awaitable);
}

Client::Answer<TxOutcomeProof> Client::wait_tx(Hash32 tx_id, Millis timeout) {
  return asio::co_spawn(strand_, do_wait_tx(tx_id, after(timeout)), asio::use_awaitable);
}

Client::Answer<BlockResults> Client::watch(int64_t height, Millis timeout) {
  return asio::co_spawn(strand_, do_watch(height, after(timeout)), asio::use_awaitable);
}

Client::Answer<TrustRoot> Client::latest() {
  return asio::co_spawn(strand_, do_latest(), asio::use_awaitable);
}

Client::Answer<LightBlock> Client::light_block(int64_t height) {
  return asio::co_spawn(strand_, fetch(height), asio::use_awaitable);
}

Client::Answer<Buffer> Client::state() {
  return asio::co_spawn(strand_, do_state(), asio::use_awaitable);
}

// --- reads
// ------------------------------------------------------------------------------------------

// The header of height h + 1 carries the root of the state after block h.
Client::Answer<ProvenValue> Client::do_read(ledger::Family family, Buffer key, int64_t min_height,
                                            Now deadline) {
  const int64_t wanted = std::max<int64_t>(min_height, 1) + 1;
  const auto header = co_await reach(wanted, deadline);
  if (!header) co_return refuse(header.error());
  const int64_t height = header->height() - 1;
  JsonValue params = query_params(family, key, height);
  auto result = co_await call("abci_query", std::move(params), deadline);
  if (!result) co_return refuse(result.error());
  const auto response = parse_query_response((*result)["response"]);
  if (!response) co_return refuse(response.error());
  if (response->code != 0) co_return refuse(LightError::remote_refused);
  if (response->height != height) co_return refuse(LightError::wrong_height);
  std::optional<Bytes> value;
  if (response->value) value = *response->value;
  const auto held = verify_read(response->proof, family, key, value, header->header().app_hash);
  if (!held) co_return refuse(held.error());
  ProvenValue out;
  out.value = response->value;
  out.height = response->height;
  out.block_time_ms = header->time_ms();
  out.proof = response->proof;
  co_return out;
}

Client::Answer<VerifiedBlock> Client::reach(int64_t height, Now deadline) {
  for (;;) {
    auto newest = co_await refresh();
    if (!newest || newest->height() >= height) co_return newest;
    if (left_until(deadline).count() <= 0) co_return refuse(LightError::not_yet);
    const auto come = co_await do_watch(height, deadline);
    if (!come && !may_come(come.error())) co_return refuse(come.error());
  }
}

// --- transactions
// -----------------------------------------------------------------------------------

Client::Answer<BroadcastResult> Client::do_broadcast(Buffer tx) {
  JsonValue params;
  params.set("tx", to_base64(tx));
  const auto result = co_await call("broadcast_tx_sync", std::move(params));
  if (!result) co_return refuse(result.error());
  auto parsed = parse_broadcast_result(*result);
  if (parsed && parsed->tx_id != tx_id(tx)) co_return refuse(LightError::bad_json);
  co_return parsed;
}

Client::Answer<TxOutcomeProof> Client::do_wait_tx(Hash32 tx_id, Now deadline) {
  for (;;) {
    JsonValue params;
    params.set("hash", to_base64(tx_id));
    params.set("prove", false);
    const auto result = co_await call("tx", std::move(params), deadline);
    if (result) {
      const auto place = parse_tx_place(*result);
      if (!place) co_return refuse(place.error());
      co_return co_await do_prove_tx(tx_id, *place, deadline);
    }
    if (!may_come(result.error())) co_return refuse(result.error());
    if (left_until(deadline).count() <= 0) co_return refuse(LightError::not_yet);
    co_await pause();
  }
}

// The block's header commits to its transactions, the next one to their outcomes.
Client::Answer<TxOutcomeProof> Client::do_prove_tx(Hash32 tx_id, TxPlace place, Now deadline) {
  const auto reached = co_await reach(place.height + 1, deadline);
  if (!reached) co_return refuse(reached.error());
  const auto own = co_await verified(place.height);
  if (!own) co_return refuse(own.error());
  const auto next = co_await verified(place.height + 1);
  if (!next) co_return refuse(next.error());
  JsonValue params = at_height(place.height);
  const auto block = co_await call("block", params, deadline);
  if (!block) co_return refuse(block.error());
  const auto results = co_await call("block_results", std::move(params), deadline);
  if (!results) co_return refuse(results.error());
  const auto txs = parse_block_txs(*block);
  const auto reports = parse_block_results(*results);
  if (!txs || !reports) co_return refuse(LightError::bad_json);
  std::vector<TxOutcome> outcomes;
  for (const TxReport& report : reports->txs) outcomes.push_back(report.outcome);
  const bool held = equal(data_hash(*txs), own->header().data_hash) &&
                    equal(results_hash(outcomes), next->header().last_results_hash) &&
                    outcomes.size() == txs->size() && place.index < txs->size() &&
                    light::tx_id((*txs)[place.index]) == tx_id;
  if (!held) co_return refuse(LightError::wrong_root);
  TxOutcomeProof out;
  out.height = place.height;
  out.code = outcomes[place.index].code;
  out.data = outcomes[place.index].data;
  out.log = reports->txs[place.index].log;
  co_return out;
}

Client::Answer<BlockResults> Client::do_watch(int64_t height, Now deadline) {
  for (;;) {
    const Millis left = left_until(deadline);
    if (left.count() <= 0) co_return refuse(LightError::not_yet);
    const Millis wait = std::min(left, kLongestPoll);
    JsonValue params =
        JsonValue::object({{"height", decimal(height)}, {"wait", decimal(int64_t{wait.count()})}});
    const auto result =
        co_await rpc_->call("block_results", std::move(params), wait + config_.call_timeout);
    if (result) co_return parse_block_results(*result);
    if (!may_come(result.error())) co_return refuse(result.error());
    co_await pause();
  }
}

// --- headers
// ----------------------------------------------------------------------------------------

Client::Answer<TrustRoot> Client::do_latest() {
  const auto newest = co_await refresh();
  if (!newest) co_return refuse(newest.error());
  TrustRoot out;
  out.chain_id = start_.chain_id;
  out.height = newest->height();
  out.header_hash = newest->hash();
  co_return out;
}

Client::Answer<bool> Client::begin() {
  if (!verified_.empty()) co_return true;
  const int64_t height = start_.root ? start_.root->height : 1;
  const auto block = co_await fetch(height);
  if (!block) co_return refuse(block.error());
  if (start_.root && start_.root->chain_id != start_.chain_id) {
    co_return refuse(LightError::wrong_chain);
  }
  const auto first = start_.root
                         ? verify_root(*start_.root, *block)
                         : verify_genesis(start_.chain_id, start_.genesis_validators, *block);
  if (!first) co_return refuse(first.error());
  keep(*first);
  co_return true;
}

Client::Answer<VerifiedBlock> Client::refresh() {
  const auto begun = co_await begin();
  if (!begun) co_return refuse(begun.error());
  JsonValue no_params = JsonValue::Object();
  const auto result = co_await call("commit", std::move(no_params));
  if (!result) co_return refuse(result.error());
  auto signed_header = parse_signed_header((*result)["signed_header"]);
  if (!signed_header) co_return refuse(signed_header.error());
  // An endpoint that lags behind what was verified already has nothing new to say.
  if (signed_header->header.height > verified_.rbegin()->first) {
    auto block = co_await complete(std::move(*signed_header));
    if (!block) co_return refuse(block.error());
    const int64_t target = block->signed_header.header.height;
    Bisection way(verified_.rbegin()->second, target, config_.trust);
    const auto walked = co_await walk(std::move(way), std::move(*block));
    if (!walked) co_return refuse(walked.error());
  }
  VerifiedBlock best = verified_.rbegin()->second;
  const auto fresh = check_fresh(best, clock_.now_ms(), config_.max_age_ms);
  if (!fresh) co_return refuse(fresh.error());
  co_return best;
}

Client::Answer<VerifiedBlock> Client::verified(int64_t height) {
  auto next = verified_.upper_bound(height);
  if (next == verified_.begin()) co_return refuse(LightError::height_not_newer);
  Bisection way(std::prev(next)->second, height, config_.trust);
  co_return co_await walk(std::move(way), std::nullopt);
}

Client::Answer<VerifiedBlock> Client::walk(Bisection way, std::optional<LightBlock> first) {
  while (const auto wanted = way.wanted()) {
    if (!first || first->signed_header.header.height != *wanted) {
      auto fetched = co_await fetch(*wanted);
      if (!fetched) co_return refuse(fetched.error());
      first = std::move(*fetched);
    }
    const auto fed = way.feed(std::move(*first), clock_.now_ms());
    first.reset();
    if (!fed) co_return refuse(fed.error());
    keep(way.trusted());
  }
  co_return way.trusted();
}

// The oldest headers go first; whoever needs them again starts from a root of its own.
void Client::keep(const VerifiedBlock& block) {
  verified_.insert_or_assign(block.height(), block);
  if (verified_.size() > kMaxVerifiedKept) verified_.erase(verified_.begin());
}

Client::Answer<LightBlock> Client::fetch(int64_t height) {
  JsonValue params = at_height(height);
  const auto result = co_await call("commit", std::move(params));
  if (!result) co_return refuse(result.error());
  auto signed_header = parse_signed_header((*result)["signed_header"]);
  if (!signed_header) co_return refuse(signed_header.error());
  if (signed_header->header.height != height) co_return refuse(LightError::wrong_height);
  co_return co_await complete(std::move(*signed_header));
}

// Adds the validator set: a known one when the header names it by its hash. Which set it really is,
// the verifier computes again.
Client::Answer<LightBlock> Client::complete(SignedHeader signed_header) {
  LightBlock block;
  for (const auto& [height, known] : verified_) {
    if (known.header().validators_hash == signed_header.header.validators_hash) {
      block.validators = known.validators();
      break;
    }
  }
  if (block.validators.empty()) {
    auto fetched = co_await fetch_validators(signed_header.header.height);
    if (!fetched) co_return refuse(fetched.error());
    block.validators = std::move(*fetched);
  }
  block.signed_header = std::move(signed_header);
  co_return block;
}

Client::Answer<ValidatorSet> Client::fetch_validators(int64_t height) {
  ValidatorSet out;
  for (int64_t page = 1;; ++page) {
    JsonValue params =
        JsonValue::object({{"height", decimal(height)},
                           {"page", decimal(page)},
                           {"per_page", decimal(static_cast<int64_t>(kValidatorsPerPage))}});
    const auto result = co_await call("validators", std::move(params));
    if (!result) co_return refuse(result.error());
    const auto parsed = parse_validators_page(*result);
    if (!parsed) co_return refuse(parsed.error());
    if (parsed->height != height) co_return refuse(LightError::wrong_height);
    out.insert(out.end(), parsed->validators.begin(), parsed->validators.end());
    if (out.size() > kMaxValidators) co_return refuse(LightError::too_many_validators);
    if (out.size() >= parsed->total) co_return out;
    if (parsed->validators.empty()) co_return refuse(LightError::bad_json);
  }
}

// --- the endpoint
// -----------------------------------------------------------------------------------

Client::Answer<JsonValue> Client::call(std::string method, JsonValue params) {
  return rpc_->call(std::move(method), std::move(params), config_.call_timeout);
}

Client::Answer<JsonValue> Client::call(std::string method, JsonValue params, Now deadline) {
  const Millis left = std::max(left_until(deadline), Millis(1));
  return rpc_->call(std::move(method), std::move(params), std::min(left, config_.call_timeout));
}

asio::awaitable<void> Client::pause() {
  asio::steady_timer timer(strand_, config_.poll_interval);
  boost::system::error_code ignored;  // nobody cancels this timer
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// --- what the caller keeps
// --------------------------------------------------------------------------

Client::Answer<Buffer> Client::do_state() {
  if (verified_.empty()) co_return refuse(LightError::not_yet);
  const VerifiedBlock& best = verified_.rbegin()->second;
  CborWriter out;
  out.map(3).key(1).text(start_.chain_id).key(2).u64(static_cast<uint64_t>(best.height()));
  out.key(3).bytes(best.hash());
  co_return out.take();
}

std::expected<TrustRoot, LightError> Client::root_from_state(Bytes state) {
  CborReader in(state);
  TrustRoot root;
  in.map(3);
  in.key(1);
  root.chain_id = in.text(kMaxChainIdBytes);
  in.key(2);
  root.height = static_cast<int64_t>(in.u64(INT64_MAX));
  in.key(3);
  root.header_hash = in.fixed<32>();
  if (!in.finish() || root.height < 1) return refuse(LightError::bad_state);
  return root;
}

}  // namespace cloister::light
