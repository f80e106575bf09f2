#include "gateway/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "gateway/exchange.h"
#include "trust/report.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds kTakeTimeout{30'000};
constexpr milliseconds kFirstBackoff{200}, kLastBackoff{10'000};
constexpr milliseconds kUpkeepInterval{15'000};
constexpr UnixMillis kMaxSessionAgeMs = 10 * 60 * 1000;  // then the connection is attested anew
constexpr UnixMillis kFreshMs = 60'000;
constexpr uint64_t kLeastUnits = 4096;  // a session with fewer left is closed
constexpr uint64_t kLifetimeBlocks = 20'000;
constexpr size_t kMaxAttempts = 3;
constexpr size_t kMaxRefusedKept = 32;

}  // namespace

Network::Network(NetworkParts parts)
    : parts_(parts),
      wanted_(parts_.context, asio::steady_timer::time_point::max()),
      changed_(parts_.context, asio::steady_timer::time_point::max()),
      upkeep_(parts_.context) {}

void Network::start() {
  asio::co_spawn(parts_.context, keep_ready(), asio::detached);
  asio::co_spawn(parts_.context, keep_fresh(), asio::detached);
  asio::co_spawn(parts_.context, follow_ledger(), asio::detached);
}

asio::awaitable<void> Network::pause(asio::steady_timer& timer, milliseconds time) {
  timer.expires_after(time);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

const ledger::Model& Network::model() const {
  const auto& models = parts_.genesis.models;
  auto named = std::ranges::find(models, parts_.config.model, &ledger::Model::name);
  return named == models.end() ? models.front() : *named;
}

SessionWish Network::wish(uint64_t lifetime_blocks) const {
  SessionWish out;
  out.model_root = model().root;
  out.max_units = parts_.config.session_units;
  out.price_cap_micro = parts_.config.price_cap_micro;
  out.lifetime_blocks = lifetime_blocks;
  return out;
}

// One session after the other: each takes a few blocks, and the first is usable at once.
asio::awaitable<void> Network::keep_ready() {
  milliseconds backoff = kFirstBackoff;
  asio::steady_timer timer(parts_.context);
  while (!stopping_) {
    if (ready_.size() >= parts_.config.ready_sessions) {
      boost::system::error_code woken;
      co_await wanted_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    auto opened = co_await parts_.opener.open(wish(kLifetimeBlocks));
    if (opened) {
      parts_.log.info("session_ready",
                      {{"session", (*opened)->record.id}, {"instance", (*opened)->instance.id}});
      auto id = (*opened)->instance.id;
      if (std::ranges::find(seen_verified_, id) == seen_verified_.end())
        seen_verified_.push_back(id);
      ready_.push_back(std::move(*opened));
      last_error_.reset();
      backoff = kFirstBackoff;
      if (on_ready_) std::exchange(on_ready_, nullptr)();
    } else {
      last_error_ = opened.error();
      parts_.log.warning("session_not_opened",
                         {{"code", LogWord::trusted(status_of(opened.error().code).code)}});
    }
    changed_.cancel();
    if (!opened) {
      co_await pause(timer, backoff);
      backoff = std::min(2 * backoff, kLastBackoff);
    }
  }
}

// Sessions that nobody used for ten minutes are closed: what was attested then is not news any
// more.
asio::awaitable<void> Network::keep_fresh() {
  while (!stopping_) {
    co_await pause(upkeep_, kUpkeepInterval);
    UnixMillis oldest = parts_.clock.now_ms() - kMaxSessionAgeMs;
    std::vector<Session> old;
    for (auto& session : ready_) {
      if (session->opened_ms < oldest) old.push_back(std::move(session));
    }
    std::erase(ready_, nullptr);
    for (auto& session : old) drop(std::move(session));
  }
}

// Who begins to lie, lag or be silent is told once.
void Network::note_endpoints(std::vector<light::EndpointReport> reports) {
  for (size_t i = 0; i < reports.size(); ++i) {
    const auto& now = reports[i];
    const bool changed = i >= endpoints_.size() || endpoints_[i].state != now.state;
    if (!changed || !now.error) continue;
    parts_.log.warning("ledger_endpoint", {{"number", uint64_t{i}},
                                           {"state", LogWord::trusted(light::name(now.state))},
                                           {"error", LogWord::trusted(describe(*now.error))}});
  }
  endpoints_ = std::move(reports);
}

asio::awaitable<void> Network::follow_ledger() {
  asio::steady_timer timer(parts_.context);
  while (!stopping_) {
    auto latest = co_await parts_.ledger.latest();
    if (latest) {
      height_ = static_cast<uint64_t>(latest->height);
      height_seen_ms_ = parts_.clock.now_ms();
    }
    if (auto reports = co_await parts_.ledger.endpoints()) note_endpoints(std::move(*reports));
    co_await pause(timer, milliseconds(2000));
  }
}

asio::awaitable<std::expected<Network::Session, ApiError>> Network::take() {
  auto deadline = std::chrono::steady_clock::now() + kTakeTimeout;
  for (;;) {
    while (!ready_.empty()) {
      Session session = std::move(ready_.front());
      ready_.pop_front();
      wanted_.cancel();
      if (!session->http.reusable()) {
        drop(std::move(session));  // the node closed it meanwhile
        continue;
      }
      ++in_use_;
      co_return session;
    }
    wanted_.cancel();
    if (std::chrono::steady_clock::now() >= deadline || stopping_) break;
    asio::steady_timer limit(parts_.context, deadline);
    limit.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) changed_.cancel();
    });
    boost::system::error_code woken;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    bool hopeless =
        ready_.empty() && last_error_ && last_error_->code == ApiCode::attestation_failed;
    if (hopeless) break;
  }
  co_return std::unexpected(last_error_.value_or(
      ApiError{ApiCode::no_verified_node, "no verified node became free in time", ""}));
}

void Network::put_back(Session session) {
  --in_use_;
  bool good = session->http.reusable() && session->units_left() >= kLeastUnits;
  if (!good) return drop(std::move(session));
  ready_.push_back(std::move(session));
  changed_.cancel();
}

void Network::drop(Session session) {
  wanted_.cancel();
  session->http.close();
  if (!stopping_)
    asio::co_spawn(parts_.context, parts_.opener.close(session->record.id), asio::detached);
}

// A node that is gone takes all its sessions along: tried one by one they would use up the attempts
// of a request that another node could answer.
void Network::drop_sessions_of(const ledger::InstanceId& instance) {
  std::vector<Session> gone;
  for (auto& session : ready_) {
    if (session->instance.id == instance) gone.push_back(std::move(session));
  }
  std::erase(ready_, nullptr);
  for (auto& session : gone) drop(std::move(session));
}

void Network::note_refused(RefusedNode node) {
  parts_.log.warning("node_refused", {{"reason", LogWord::trusted(node.reason)}});
  refused_.push_front(std::move(node));
  if (refused_.size() > kMaxRefusedKept) refused_.pop_back();
}

asio::awaitable<std::expected<inference::GenerateResult, ApiError>> Network::ask(
    ChatRequest request, std::string receipt_id, OnPiece on_piece) {
  if (request.model != model().name) {
    co_return std::unexpected(ApiError{
        ApiCode::model_not_found, fmt::format("this gateway serves {}", model().name), "model"});
  }
  ApiError last{ApiCode::no_verified_node, "no node answered", ""};
  for (size_t tries = 0; tries < kMaxAttempts; ++tries) {
    auto result = co_await attempt(request, on_piece);
    if (result) {
      auto kept = keep_receipt(receipt_id, std::move(result->bundle));
      if (!kept) co_return std::unexpected(kept.error());
      co_return result->result;
    }
    last = result.error().error;
    if (!result.error().may_try_other) break;
  }
  co_return std::unexpected(last);
}

asio::awaitable<Network::Attempt> Network::attempt(const ChatRequest& request,
                                                   const OnPiece& on_piece) {
  switch (request.mode) {
    case trust::Mode::atls:
      co_return co_await by_session(request, on_piece);
    case trust::Mode::chain:
      co_return co_await parts_.jobs.ask(request, wish(parts_.config.job_blocks), on_piece);
    case trust::Mode::relay:
      break;
  }
  co_return std::unexpected(ExchangeError{
      {ApiCode::unsupported_parameter, "relay mode is not built yet", "x-cloister-mode"},
      false,
      false});
}

asio::awaitable<Network::Attempt> Network::by_session(const ChatRequest& request,
                                                      const OnPiece& on_piece) {
  auto session = co_await take();
  if (!session) co_return std::unexpected(ExchangeError{session.error(), false, false});
  auto result = co_await exchange(**session, request, on_piece, parts_.clock, parts_.random);
  if (result) {
    put_back(std::move(*session));
    co_return result;
  }
  --in_use_;
  const ExchangeError& fault = result.error();
  if (fault.may_try_other) {
    note_refused({to_hex((*session)->instance.id), fault.error.message, parts_.clock.now()});
  }
  if (fault.may_try_other && fault.error.code == ApiCode::node_lost) {
    drop_sessions_of((*session)->instance.id);
  }
  drop(std::move(*session));
  co_return result;
}

// The answer counts only when its bundle, with the receipt, evaluates as `verify-receipt` will.
std::expected<void, ApiError> Network::keep_receipt(const std::string& id, trust::Bundle bundle) {
  bundle.receipt_id = id;
  auto report = trust::evaluate(bundle, {parts_.genesis.hash(), std::nullopt});
  auto json = JsonValue::object({{"id", id},
                                 {"receipt", bundle.receipt->receipt.to_json()},
                                 {"trust", trust::to_json(report)},
                                 {"bundle", trust::to_json(bundle)}});
  if (!parts_.receipts.put(id, json.dump_pretty())) {
    return std::unexpected(ApiError{ApiCode::internal, "the receipt could not be stored", ""});
  }
  if (auto failure = report.first_failure()) {
    return std::unexpected(
        ApiError{ApiCode::receipt_invalid, fmt::format("the check {} failed", failure->name), ""});
  }
  return {};
}

size_t Network::verified_nodes() const {
  return seen_verified_.size();
}

std::vector<ModelEntry> Network::models() const {
  ModelEntry entry;
  entry.name = model().name;
  entry.root = model().root;
  entry.quantization = model().quantization;
  entry.licence = model().licence;
  entry.context_tokens = model().context_length;
  entry.price_per_million_micro = parts_.config.price_cap_micro;
  entry.verified_nodes = verified_nodes();
  entry.development = parts_.genesis.development;
  for (const auto& session : ready_) {
    for (const auto& platform : session->instance.platforms) {
      if (std::ranges::find(entry.platforms, platform.product) == entry.platforms.end()) {
        entry.platforms.push_back(platform.product);
      }
    }
  }
  return {entry};
}

Health Network::health() const {
  Health out;
  out.chain_id = parts_.genesis.chain_id;
  out.height = height_;
  out.ledger_fresh = height_seen_ms_ + kFreshMs > parts_.clock.now_ms();
  out.development = parts_.genesis.development;
  out.ready_sessions = ready_.size() + in_use_;
  out.verified_nodes = verified_nodes();
  out.ledger = endpoints_;
  return out;
}

std::vector<RefusedNode> Network::refused_nodes() const {
  return {refused_.begin(), refused_.end()};
}

std::expected<std::string, ApiError> Network::receipt(std::string_view id) const {
  auto found = parts_.receipts.get(id);
  if (!found) return std::unexpected(ApiError{ApiCode::receipt_not_found, "no such receipt", ""});
  return *found;
}

std::expected<std::string, ApiError> Network::attestation_report() const {
  if (ready_.empty()) {
    return std::unexpected(
        last_error_.value_or(ApiError{ApiCode::no_verified_node, "no session is ready", ""}));
  }
  auto report = trust::evaluate(ready_.front()->bundle, {parts_.genesis.hash(), std::nullopt});
  return JsonValue::object({{"trust", trust::to_json(report)},
                            {"bundle", trust::to_json(ready_.front()->bundle)}})
      .dump_pretty();
}

asio::awaitable<void> Network::stop() {
  stopping_ = true;
  wanted_.cancel();
  changed_.cancel();
  upkeep_.cancel();
  while (!ready_.empty()) {
    Session session = std::move(ready_.front());
    ready_.pop_front();
    session->http.close();
    co_await parts_.opener.close(session->record.id);
  }
}

}  // namespace cloister::gateway
