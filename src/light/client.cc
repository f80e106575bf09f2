#include "light/client.h"

#include <algorithm>
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
constexpr int kMaxContradictions = 20;

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

std::vector<Endpoint> only(std::string name, std::unique_ptr<Rpc> rpc) {
  std::vector<Endpoint> out;
  out.push_back({std::move(name), std::move(rpc)});
  return out;
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
  start.genesis_validators = validators_of(genesis);
  return start;
}

Client::Client(asio::any_io_executor executor, std::vector<Endpoint> endpoints, const Clock& clock,
               TrustStart start, ClientConfig config)
    : strand_(asio::make_strand(executor)),
      clock_(clock),
      start_(std::move(start)),
      config_(config) {
  for (Endpoint& endpoint : endpoints) {
    Door door;
    door.report.name = endpoint.name;
    door.endpoint = std::move(endpoint);
    doors_.push_back(std::move(door));
  }
  sort_validators(start_.genesis_validators);
  if (start_.fixed_validators) config_.trust.trusting_period_s = kMaxPeriodSeconds;
}

Client::Client(asio::any_io_executor executor, std::unique_ptr<Rpc> rpc, const Clock& clock,
               TrustStart start, ClientConfig config)
    : Client(std::move(executor), only("the endpoint", std::move(rpc)), clock, std::move(start),
             config) {}

Client::Answer<ProvenValue> Client::read(ledger::Family family, Buffer key, int64_t min_height,
                                         Millis timeout) {
  const Now deadline = after(timeout);
  const auto question = [=, this, key = std::move(key)](Door& door) {
    return do_read(door, family, key, min_height, deadline);
  };
  return asio::co_spawn(strand_, ask_until<ProvenValue>(deadline, question), asio::use_awaitable);
}

Client::Answer<BroadcastResult> Client::broadcast(Buffer tx) {
  return asio::co_spawn(strand_, ask<BroadcastResult>([this, tx = std::move(tx)](Door& door) {
                          return do_broadcast(door, tx);
                        }),
                        asio::use_awaitable);
}

Client::Answer<TxOutcomeProof> Client::wait_tx(Hash32 tx_id, Millis timeout) {
  const Now deadline = after(timeout);
  return asio::co_spawn(strand_, ask<TxOutcomeProof>([=, this](Door& door) {
                          return do_wait_tx(door, tx_id, deadline);
                        }),
                        asio::use_awaitable);
}

Client::Answer<BlockResults> Client::watch(int64_t height, Millis timeout) {
  const Now deadline = after(timeout);
  return asio::co_spawn(strand_, ask<BlockResults>([=, this](Door& door) {
                          return do_watch(door, height, deadline);
                        }),
                        asio::use_awaitable);
}

Client::Answer<std::vector<Buffer>> Client::block_txs(int64_t height, Millis timeout) {
  const Now deadline = after(timeout);
  return asio::co_spawn(strand_, ask<std::vector<Buffer>>([=, this](Door& door) {
                          return do_block_txs(door, height, deadline);
                        }),
                        asio::use_awaitable);
}

Client::Answer<TrustRoot> Client::latest() {
  return asio::co_spawn(strand_, ask<TrustRoot>([this](Door& door) { return do_latest(door); }),
                        asio::use_awaitable);
}

Client::Answer<LightBlock> Client::light_block(int64_t height) {
  return asio::co_spawn(strand_, ask<LightBlock>([=, this](Door& door) {
                          return fetch(door, height, config_.call_timeout);
                        }),
                        asio::use_awaitable);
}

Client::Answer<Buffer> Client::state() {
  return asio::co_spawn(strand_, do_state(), asio::use_awaitable);
}

Client::Answer<std::vector<EndpointReport>> Client::endpoints() {
  return asio::co_spawn(strand_, do_endpoints(), asio::use_awaitable);
}

// --- whom to ask --------------------------------------------------------------------------------

// First whoever answered well last, at the end whoever lied.
std::vector<Client::Door*> Client::in_order() {
  std::vector<Door*> out, liars;
  for (size_t i = 0; i < doors_.size(); ++i) {
    Door& door = doors_[(current_ + i) % doors_.size()];
    (door.report.state == EndpointState::lying ? liars : out).push_back(&door);
  }
  out.insert(out.end(), liars.begin(), liars.end());
  return out;
}

// Who lied once is not believed to have become honest.
void Client::note(Door& door, std::optional<LightError> error) {
  if (door.report.state == EndpointState::lying) return;
  if (!error) {
    door.report.state = EndpointState::agrees;
    door.report.error.reset();
  } else if (const auto state = blame(*error)) {
    door.report.state = *state;
    door.report.error = error;
  }
}

// `question` stays alive in this coroutine for as long as its answers do.
template <typename T>
Client::Answer<T> Client::ask(std::function<Answer<T>(Door&)> question) {
  std::expected<T, LightError> answer = refuse(LightError::unreachable);
  for (Door* door : in_order()) {
    if (conflict_) co_return refuse(LightError::conflicting_headers);
    answer = co_await question(*door);
    note(*door, answer ? std::nullopt : std::optional(answer.error()));
    if (answer) current_ = static_cast<size_t>(door - doors_.data());
    if (answer || !blame(answer.error())) co_return answer;
  }
  co_return answer;
}

// Those of a network that has just been started answer, and may have the state soon.
template <typename T>
Client::Answer<T> Client::ask_until(Now deadline, std::function<Answer<T>(Door&)> question) {
  for (;;) {
    auto answer = co_await ask<T>(question);
    const bool soon = !answer && answer.error() == LightError::remote_refused;
    if (!soon || left_until(deadline) <= config_.poll_interval) co_return answer;
    co_await pause();
  }
}

// --- reads
// ------------------------------------------------------------------------------------------

// The header of height h + 1 carries the root of the state after block h.
Client::Answer<ProvenValue> Client::do_read(Door& door, ledger::Family family, Buffer key,
                                            int64_t min_height, Now deadline) {
  const int64_t wanted = std::max<int64_t>(min_height, 1) + 1;
  const auto header = co_await reach(door, wanted, deadline);
  if (!header) co_return refuse(header.error());
  const int64_t height = header->height() - 1;
  JsonValue params = query_params(family, key, height);
  auto result = co_await call(door, "abci_query", std::move(params), deadline);
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

Client::Answer<VerifiedBlock> Client::reach(Door& door, int64_t height, Now deadline) {
  for (int contradictions = 0;;) {
    auto newest = co_await refresh(door);
    if (!newest || newest->height() >= height) co_return newest;
    if (left_until(deadline).count() <= 0) co_return refuse(LightError::not_yet);
    // It says that the block is there, and has no header as new as that.
    if (contradictions == kMaxContradictions) co_return refuse(LightError::stale);
    if (contradictions > 0) co_await pause();
    const auto come = co_await do_watch(door, height, deadline);
    if (!come && !may_come(come.error())) co_return refuse(come.error());
    if (come) ++contradictions;
  }
}

// --- transactions
// -----------------------------------------------------------------------------------

Client::Answer<BroadcastResult> Client::do_broadcast(Door& door, Buffer tx) {
  JsonValue params;
  params.set("tx", to_base64(tx));
  const auto result = co_await door.endpoint.rpc->call("broadcast_tx_sync", std::move(params),
                                                       config_.call_timeout);
  if (!result) co_return refuse(result.error());
  auto parsed = parse_broadcast_result(*result);
  if (parsed && parsed->tx_id != tx_id(tx)) co_return refuse(LightError::bad_json);
  co_return parsed;
}

Client::Answer<TxOutcomeProof> Client::do_wait_tx(Door& door, Hash32 tx_id, Now deadline) {
  for (;;) {
    JsonValue params;
    params.set("hash", to_base64(tx_id));
    params.set("prove", false);
    const auto result = co_await call(door, "tx", std::move(params), deadline);
    if (result) {
      const auto place = parse_tx_place(*result);
      if (!place) co_return refuse(place.error());
      co_return co_await do_prove_tx(door, tx_id, *place, deadline);
    }
    if (!may_come(result.error())) co_return refuse(result.error());
    if (left_until(deadline).count() <= 0) co_return refuse(LightError::not_yet);
    co_await pause();
  }
}

// The block's header commits to its transactions, the next one to their outcomes.
Client::Answer<TxOutcomeProof> Client::do_prove_tx(Door& door, Hash32 tx_id, TxPlace place,
                                                   Now deadline) {
  const auto reached = co_await reach(door, place.height + 1, deadline);
  if (!reached) co_return refuse(reached.error());
  const auto next = co_await verified(door, place.height + 1);
  if (!next) co_return refuse(next.error());
  const auto txs = co_await proven_txs(door, place.height, deadline);
  if (!txs) co_return refuse(txs.error());
  JsonValue params = at_height(place.height);
  const auto results = co_await call(door, "block_results", std::move(params), deadline);
  if (!results) co_return refuse(results.error());
  const auto reports = parse_block_results(*results);
  if (!reports) co_return refuse(LightError::bad_json);
  std::vector<TxOutcome> outcomes;
  for (const TxReport& report : reports->txs) outcomes.push_back(report.outcome);
  const bool held = equal(results_hash(outcomes), next->header().last_results_hash) &&
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

Client::Answer<std::vector<Buffer>> Client::do_block_txs(Door& door, int64_t height, Now deadline) {
  const auto reached = co_await reach(door, height, deadline);
  if (!reached) co_return refuse(reached.error());
  co_return co_await proven_txs(door, height, deadline);
}

Client::Answer<std::vector<Buffer>> Client::proven_txs(Door& door, int64_t height, Now deadline) {
  const auto own = co_await verified(door, height);
  if (!own) co_return refuse(own.error());
  JsonValue params = at_height(height);
  const auto block = co_await call(door, "block", std::move(params), deadline);
  if (!block) co_return refuse(block.error());
  auto txs = parse_block_txs(*block);
  if (!txs) co_return refuse(LightError::bad_json);
  if (!equal(data_hash(*txs), own->header().data_hash)) co_return refuse(LightError::wrong_root);
  co_return std::move(*txs);
}

Client::Answer<BlockResults> Client::do_watch(Door& door, int64_t height, Now deadline) {
  for (;;) {
    const Millis left = left_until(deadline);
    if (left.count() <= 0) co_return refuse(LightError::not_yet);
    const Millis wait = std::min(left, kLongestPoll);
    JsonValue params =
        JsonValue::object({{"height", decimal(height)}, {"wait", decimal(int64_t{wait.count()})}});
    const auto result = co_await door.endpoint.rpc->call("block_results", std::move(params),
                                                         wait + config_.call_timeout);
    if (result) co_return parse_block_results(*result);
    if (!may_come(result.error())) co_return refuse(result.error());
    co_await pause();
  }
}

// --- headers
// ----------------------------------------------------------------------------------------

Client::Answer<TrustRoot> Client::do_latest(Door& door) {
  const auto newest = co_await refresh(door);
  if (!newest) co_return refuse(newest.error());
  TrustRoot out;
  out.chain_id = start_.chain_id;
  out.height = newest->height();
  out.header_hash = newest->hash();
  co_return out;
}

Client::Answer<bool> Client::begin(Door& door) {
  if (!verified_.empty()) co_return true;
  const int64_t height = start_.root ? start_.root->height : 1;
  const auto block = co_await fetch(door, height, config_.call_timeout);
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

Client::Answer<VerifiedBlock> Client::refresh(Door& door) {
  const auto begun = co_await begin(door);
  if (!begun) co_return refuse(begun.error());
  JsonValue no_params = JsonValue::Object();
  const auto result =
      co_await door.endpoint.rpc->call("commit", std::move(no_params), config_.call_timeout);
  if (!result) co_return refuse(result.error());
  auto signed_header = parse_signed_header((*result)["signed_header"]);
  if (!signed_header) co_return refuse(signed_header.error());
  // An endpoint that lags behind what was verified already has nothing new to say, but may lie.
  const auto known = verified_.find(signed_header->header.height);
  if (known != verified_.end() && known->second.hash() != header_hash(signed_header->header)) {
    co_return refuse(LightError::wrong_header_hash);
  }
  if (signed_header->header.height > verified_.rbegin()->first) {
    auto block = co_await complete(door, std::move(*signed_header), config_.call_timeout);
    if (!block) co_return refuse(block.error());
    const int64_t target = block->signed_header.header.height;
    const VerifiedBlock before = verified_.rbegin()->second;
    Bisection way(before, target, config_.trust);
    const auto walked =
        co_await walk(door, std::move(way), std::move(*block), true, config_.call_timeout);
    if (!walked) co_return refuse(walked.error());
    const auto compared = co_await compare(door, before, *walked);
    if (!compared) co_return refuse(compared.error());
    door.report.height = target;
  }
  VerifiedBlock best = verified_.rbegin()->second;
  const auto fresh = check_fresh(best, clock_.now_ms(), config_.max_age_ms);
  if (!fresh) co_return refuse(fresh.error());
  co_return best;
}

Client::Answer<VerifiedBlock> Client::verified(Door& door, int64_t height) {
  auto next = verified_.upper_bound(height);
  if (next == verified_.begin()) co_return refuse(LightError::before_trust);
  Bisection way(std::prev(next)->second, height, config_.trust);
  co_return co_await walk(door, std::move(way), std::nullopt, true, config_.call_timeout);
}

Client::Answer<VerifiedBlock> Client::walk(Door& door, Bisection way,
                                           std::optional<LightBlock> first, bool keep_steps,
                                           Millis timeout) {
  while (const auto wanted = way.wanted()) {
    if (!first || first->signed_header.header.height != *wanted) {
      auto fetched = co_await fetch(door, *wanted, timeout);
      if (!fetched) co_return refuse(fetched.error());
      first = std::move(*fetched);
    }
    const auto fed = way.feed(std::move(*first), clock_.now_ms());
    first.reset();
    if (!fed) co_return refuse(fed.error());
    if (keep_steps) keep(way.trusted());
  }
  co_return way.trusted();
}

Client::Answer<bool> Client::compare(Door& door, VerifiedBlock before, VerifiedBlock newest) {
  for (Door& witness : doors_) {
    const bool rests = clock_.now_ms() < witness.rests_until_ms;
    if (&witness == &door || rests || witness.report.state == EndpointState::lying) continue;
    const auto compared = co_await compare_with(witness, before, newest);
    if (!compared) co_return compared;
  }
  co_return true;
}

// Another header of the same height is a lie of the witness, unless it verifies as well.
Client::Answer<bool> Client::compare_with(Door& witness, VerifiedBlock before,
                                          VerifiedBlock newest) {
  const Millis timeout = config_.witness_timeout;
  auto theirs = co_await fetch(witness, newest.height(), timeout);
  if (!theirs) {
    note(witness, theirs.error());
    if (witness.report.state == EndpointState::unreachable) {
      witness.rests_until_ms = clock_.now_ms() + config_.witness_rest_ms;
    }
    co_return true;
  }
  if (header_hash(theirs->signed_header.header) == newest.hash()) {
    note(witness, std::nullopt);
    witness.report.height = newest.height();
    co_return true;
  }
  Bisection way(before, newest.height(), config_.trust);
  const auto walked = co_await walk(witness, std::move(way), std::move(*theirs), false, timeout);
  if (walked) {
    conflict_ = true;
    co_return refuse(LightError::conflicting_headers);
  }
  note(witness, walked.error());
  co_return true;
}

// Where trust starts stays, and from it stepping stones to every height that was reached: of too
// many, the one goes whose neighbours are closest to each other.
void Client::keep(const VerifiedBlock& block) {
  verified_.insert_or_assign(block.height(), block);
  if (verified_.size() <= kMaxVerifiedKept) return;
  auto closest = std::next(verified_.begin());
  int64_t least = INT64_MAX;
  for (auto at = closest; std::next(at) != verified_.end(); ++at) {
    const int64_t gap = std::next(at)->first - std::prev(at)->first;
    // Of equal gaps the oldest goes; the block that was just kept is needed.
    if (gap >= least || at->first == block.height()) continue;
    least = gap;
    closest = at;
  }
  verified_.erase(closest);
}

Client::Answer<LightBlock> Client::fetch(Door& door, int64_t height, Millis timeout) {
  JsonValue params = at_height(height);
  const auto result = co_await door.endpoint.rpc->call("commit", std::move(params), timeout);
  if (!result) co_return refuse(result.error());
  auto signed_header = parse_signed_header((*result)["signed_header"]);
  if (!signed_header) co_return refuse(signed_header.error());
  if (signed_header->header.height != height) co_return refuse(LightError::wrong_height);
  co_return co_await complete(door, std::move(*signed_header), timeout);
}

// Adds the validator set: a known one when the header names it by its hash. Which set it really is,
// the verifier computes again.
Client::Answer<LightBlock> Client::complete(Door& door, SignedHeader signed_header,
                                            Millis timeout) {
  LightBlock block;
  for (const auto& [height, known] : verified_) {
    if (known.header().validators_hash == signed_header.header.validators_hash) {
      block.validators = known.validators();
      break;
    }
  }
  if (block.validators.empty()) {
    auto fetched = co_await fetch_validators(door, signed_header.header.height, timeout);
    if (!fetched) co_return refuse(fetched.error());
    block.validators = std::move(*fetched);
  }
  block.signed_header = std::move(signed_header);
  co_return block;
}

Client::Answer<ValidatorSet> Client::fetch_validators(Door& door, int64_t height, Millis timeout) {
  ValidatorSet out;
  for (int64_t page = 1;; ++page) {
    JsonValue params =
        JsonValue::object({{"height", decimal(height)},
                           {"page", decimal(page)},
                           {"per_page", decimal(static_cast<int64_t>(kValidatorsPerPage))}});
    const auto result = co_await door.endpoint.rpc->call("validators", std::move(params), timeout);
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

Client::Answer<JsonValue> Client::call(Door& door, std::string method, JsonValue params,
                                       Now deadline) {
  const Millis left = std::max(left_until(deadline), Millis(1));
  return door.endpoint.rpc->call(std::move(method), std::move(params),
                                 std::min(left, config_.call_timeout));
}

asio::awaitable<void> Client::pause() {
  asio::steady_timer timer(strand_, config_.poll_interval);
  boost::system::error_code ignored;  // nobody cancels this timer
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Client::Answer<std::vector<EndpointReport>> Client::do_endpoints() {
  std::vector<EndpointReport> out;
  for (const Door& door : doors_) out.push_back(door.report);
  co_return out;
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
