#include "gateway/session_opener.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "crypto/hash.h"
#include "gateway/ledger_reader.h"
#include "ledger/types/beacon.h"
#include "ledger/types/bodies.h"
#include "trust/report.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;
using Done = std::expected<void, ApiError>;

constexpr light::Millis kTxTimeout{30'000};
constexpr light::Millis kDrawTimeout{30'000};
constexpr size_t kMaxTrials = 8;
constexpr int64_t kKeyBlocks = 16;  // an instance publishes its keys right after it registers

std::unexpected<ApiError> unreachable(std::string_view why) {
  return std::unexpected(
      ApiError{ApiCode::ledger_unreachable, fmt::format("the ledger: {}", why), ""});
}

std::unexpected<ApiError> untrusted(std::string_view why) {
  return std::unexpected(
      ApiError{ApiCode::attestation_failed, fmt::format("the node was not trusted: {}", why), ""});
}

ApiError from_send(const light::SendError& error) {
  bool poor = error.code == ledger::Code::insufficient_balance;
  return {poor ? ApiCode::insufficient_balance : ApiCode::ledger_unreachable,
          fmt::format("the ledger: {}", error.describe()), ""};
}

std::optional<std::pair<std::string, uint16_t>> split_endpoint(const std::string& endpoint) {
  size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  unsigned port = 0;
  for (char c : std::string_view(endpoint).substr(colon + 1)) {
    if (c < '0' || c > '9' || port > UINT16_MAX) return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port == 0 || port > UINT16_MAX) return std::nullopt;
  return std::pair(endpoint.substr(0, colon), static_cast<uint16_t>(port));
}

Hash32 verdict_id(const Fixed<64>& report_data, const Hash32& evidence, uint64_t policy_version) {
  ByteWriter w;
  w.text("cloister verdict v1").u8(0).bytes(report_data).bytes(evidence).u64_be(policy_version);
  return crypto::sha256(w.view());
}

std::vector<ledger::EvidenceItem> items_of(const std::vector<evidence::Evidence>& evidence) {
  std::vector<ledger::EvidenceItem> out;
  for (const auto& one : evidence) {
    ledger::EvidenceItem item;
    item.format = static_cast<uint8_t>(one.format);
    item.bytes = one.bytes;
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

struct SessionOpener::Trial {
  Trial(light::Client& client, ledger::Session drawn) : reader(client), session(std::move(drawn)) {}
  LedgerReader reader;
  ledger::Session session;
  ledger::Instance instance;
  ledger::NetworkPolicy policy;
  policy::LayeredRules rules;
  int64_t height = 0;
  std::optional<light::LightError> unread;  // what kept the evidence from being judged
  admission::Judgement judgement;
  std::unique_ptr<atls::AtlsConnection> connection;
  SealingKeys keys;
  trust::Bundle bundle;
};

asio::awaitable<SessionOpener::Opened> SessionOpener::open(SessionWish wish) {
  ledger::OpenSession body;
  body.model_root = wish.model_root;
  body.max_units = wish.max_units;
  body.price_cap_micro = wish.price_cap_micro;
  body.deposit_micro =
      ledger::cost_micro(wish.max_units, wish.price_cap_micro).value_or(UINT64_MAX);
  body.lifetime_blocks = wish.lifetime_blocks;
  auto opened = co_await parts_.account.send(body, kTxTimeout);
  if (!opened) co_return std::unexpected(from_send(opened.error()));
  auto id = to_fixed<32>(opened->data);
  if (!id) co_return unreachable("it named no session");
  int64_t height = opened->height;
  ApiError last{ApiCode::no_verified_node, "no node passed verification", ""};
  for (size_t trials = 0; trials < kMaxTrials; ++trials) {
    auto session = co_await wait_assigned(*id, height);
    if (!session) {
      // That nobody else is left is no news once somebody was refused: why is.
      bool drawn_out = trials > 0 && session.error().code == ApiCode::no_verified_node;
      co_return std::unexpected(drawn_out ? last : session.error());
    }
    if (auto drawn = co_await check_draw(*session); !drawn) {
      co_return std::unexpected(drawn.error());
    }
    Trial trial(parts_.ledger, std::move(*session));
    auto examined = co_await examine(trial);
    if (examined) {
      auto ready = std::make_unique<ReadySession>(
          http::Client(std::move(trial.connection), trial.instance.endpoint));
      ready->record = std::move(trial.session);
      ready->instance = std::move(trial.instance);
      ready->keys = std::move(trial.keys);
      ready->bundle = std::move(trial.bundle);
      ready->opened_ms = parts_.clock.now_ms();
      co_return ready;
    }
    if (examined.error().code == ApiCode::ledger_unreachable)
      co_return std::unexpected(examined.error());
    last = examined.error();
    parts_.on_refused({to_hex(*trial.session.instance), last.message, parts_.clock.now()});
    auto redrawn = co_await report(trial);
    if (!redrawn) {  // confirmed already, say: nothing is to stay locked in it
      co_await close(*id);
      co_return std::unexpected(last);
    }
    height = *redrawn;
  }
  co_return std::unexpected(last);
}

// The draw comes two blocks after the request. Blocks are hints; the record is read with its proof.
asio::awaitable<std::expected<ledger::Session, ApiError>> SessionOpener::wait_assigned(
    ledger::SessionId id, int64_t height) {
  for (int64_t waited = 0; waited < 64; ++waited) {
    LedgerReader reader(parts_.ledger);
    auto session = co_await reader.record<ledger::Session>(ledger::Family::sessions,
                                                           ledger::id_key(id), height);
    if (!session) co_return unreachable(light::describe(session.error()));
    if (!*session) co_return unreachable("the session is not there");
    using ledger::SessionState;
    if ((*session)->state == SessionState::assigned) co_return **session;
    if ((*session)->state != SessionState::requested) {
      co_return std::unexpected(ApiError{ApiCode::no_verified_node,
                                         "the network has no node for this model and policy", ""});
    }
    auto next = co_await parts_.ledger.watch(height + 1, kDrawTimeout);
    if (!next) co_return unreachable(light::describe(next.error()));
    ++height;
  }
  co_return std::unexpected(
      ApiError{ApiCode::no_verified_node, "the ledger drew no node in time", ""});
}

// Computes the draw again: whoever keeps the ledger may not choose who serves whom. These reads are
// no part of the bundle: a receipt says who answered, not how it came to that.
asio::awaitable<Done> SessionOpener::check_draw(const ledger::Session& session) {
  using ledger::Family;
  LedgerReader reader(parts_.ledger);
  const uint64_t height = session.request_height;
  auto frozen = co_await reader.record<ledger::FrozenPools>(
      Family::draws, ledger::frozen_key(height, session.model_root));
  if (!frozen) co_return unreachable(light::describe(frozen.error()));
  auto beacon =
      co_await reader.record<ledger::Beacon>(Family::beacon, ledger::number_key(height + 1));
  if (!beacon) co_return unreachable(light::describe(beacon.error()));
  auto drawn = co_await reader.record<ledger::Drawn>(Family::draws, ledger::id_key(session.id));
  if (!drawn) co_return unreachable(light::describe(drawn.error()));
  if (!*frozen || !*beacon || !*drawn) co_return unreachable("it does not show its draw");
  const auto& genesis = parts_.genesis;
  if ((*beacon)->height != height + 1 ||
      !ledger::verify_beacon(genesis.chain_id, genesis.beacon, **beacon)) {
    co_return unreachable("the beacon of its draw is not the validators'");
  }
  const auto held = ledger::verify_draw(session, **frozen, *(*beacon)->value, **drawn);
  if (!held) co_return unreachable(ledger::describe(held.error()));
  co_return Done{};
}

asio::awaitable<Done> SessionOpener::examine(Trial& trial) {
  auto read = co_await read_ledger(trial);
  if (!read) co_return read;
  auto attested = co_await attest(trial);
  if (!attested) co_return attested;
  auto keys = co_await read_keys(trial);
  if (!keys) co_return keys;
  co_return co_await confirm(trial);
}

asio::awaitable<Done> SessionOpener::read_ledger(Trial& trial) {
  auto& reader = trial.reader;
  auto instance = co_await reader.record<ledger::Instance>(ledger::Family::instances,
                                                           ledger::id_key(*trial.session.instance));
  if (!instance) co_return unreachable(light::describe(instance.error()));
  if (!*instance) co_return untrusted("it is not on the ledger");
  trial.instance = std::move(**instance);
  auto policy = co_await reader.record<ledger::NetworkPolicy>(
      ledger::Family::policy, to_buffer(as_bytes(ledger::kPolicyKey)));
  if (!policy) co_return unreachable(light::describe(policy.error()));
  if (!*policy) co_return unreachable("it has no policy");
  trial.policy = std::move(**policy);
  if (!parts_.admits_policy(trial.policy.version)) {
    co_return unreachable("its policy is older than one that was in force before");
  }
  auto model = co_await reader.record<ledger::Model>(ledger::Family::models,
                                                     ledger::id_key(trial.session.model_root));
  if (!model) co_return unreachable(light::describe(model.error()));
  trial.rules = policy::layered(admission::rules_of(trial.policy));
  if (parts_.local_policy) trial.rules = policy::tightened(trial.rules, *parts_.local_policy);
  auto latest = co_await parts_.ledger.latest();
  if (!latest) co_return unreachable(light::describe(latest.error()));
  trial.height = latest->height;
  co_return Done{};
}

// The keys that requests are sealed to; a few blocks of patience for an instance that just came.
asio::awaitable<Done> SessionOpener::read_keys(Trial& trial) {
  const int64_t last = trial.height + kKeyBlocks;
  for (int64_t height = 0;; height = std::max(height, trial.height) + 1) {
    if (height > last) co_return untrusted("it has published no keys");
    if (height > 0) {
      auto next = co_await parts_.ledger.watch(height, kDrawTimeout);
      if (!next) co_return unreachable(light::describe(next.error()));
    }
    auto published = co_await trial.reader.record<ledger::KeySet>(
        ledger::Family::keys, ledger::id_key(trial.instance.id), height);
    if (!published) co_return unreachable(light::describe(published.error()));
    auto keys = *published ? choose_keys(**published, parts_.clock.now_ms()) : std::nullopt;
    if (!keys) continue;
    trial.keys = std::move(*keys);
    co_return Done{};
  }
}

// Judges the evidence of this connection by the vendors' objects that it names.
asio::awaitable<std::expected<Hash32, atls::Refusal>> SessionOpener::judge(
    Trial& trial, const atls::PeerEvidence& peer) {
  const auto anchors = admission::anchors_of(parts_.genesis);
  std::vector<evidence::CollateralName> names;
  for (const auto& item : peer.evidence) {
    const auto needed = evidence::collateral_needed(item, anchors);
    if (needed) names.insert(names.end(), needed->begin(), needed->end());
  }
  auto collateral = co_await trial.reader.collateral(std::move(names));
  if (!collateral) {
    trial.unread = collateral.error();
    co_return std::unexpected(atls::Refusal::stale);
  }
  const auto items = items_of(peer.evidence);
  trial.judgement = admission::judge(
      {items, admission::lookup_in(*collateral), anchors, trial.rules,
       evidence::Binding::report_data(peer.expected_report_data), parts_.clock.now(),
       static_cast<uint64_t>(trial.height), parts_.genesis.chain_id});
  if (trial.judgement.evidence_error() == evidence::Error::report_data_mismatch) {
    co_return std::unexpected(atls::Refusal::binding);
  }
  if (trial.judgement.evidence_error()) co_return std::unexpected(atls::Refusal::evidence);
  if (!trial.judgement.admitted()) co_return std::unexpected(atls::Refusal::policy);
  co_return verdict_id(peer.expected_report_data, ledger::evidence_hash(items),
                       trial.policy.version);
}

// Connects and judges what the instance proves about this connection. Nothing but the handshake's
// own frames has been sent when this returns.
asio::awaitable<Done> SessionOpener::attest(Trial& trial) {
  auto endpoint = split_endpoint(trial.instance.endpoint);
  if (!endpoint) co_return untrusted("its endpoint is not host:port");
  atls::ConnectOptions options;
  options.host = endpoint->first;
  options.port = endpoint->second;
  options.peer = {trial.instance.id, trial.instance.spki_sha256};
  options.policy_hash = crypto::sha256(trial.policy.encode());
  options.formats = {evidence::Format::tdx_quote, evidence::Format::snp_report};
  // The connection has a strand of its own; the ledger's client stays on ours.
  const auto here = co_await asio::this_coro::executor;
  const auto verifier =
      [&, here](
          const atls::PeerEvidence& peer) -> asio::awaitable<std::expected<Hash32, atls::Refusal>> {
    co_return co_await asio::co_spawn(here, judge(trial, peer), asio::use_awaitable);
  };
  auto connection = co_await parts_.connector.connect(std::move(options), verifier);
  if (!connection) {
    if (trial.unread) co_return unreachable(light::describe(*trial.unread));
    if (auto error = trial.judgement.evidence_error()) co_return untrusted(evidence::name(*error));
    if (auto reason = trial.judgement.policy_reason()) co_return untrusted(policy::name(*reason));
    co_return untrusted(atls::name(connection.error()));
  }
  trial.connection = std::move(*connection);
  co_return Done{};
}

// Records the verdict on the ledger, reads the confirmation back with its proof, and has the whole
// bundle evaluated once more, exactly as `verify-receipt` will: a session is ready only when that
// holds.
asio::awaitable<Done> SessionOpener::confirm(Trial& trial) {
  const auto& facts = trial.connection->facts();
  ledger::ConfirmAttestation body;
  body.session = trial.session.id;
  body.instance = trial.instance.id;
  body.verdict_id = facts.verdict_id;
  body.policy_version = trial.policy.version;
  auto checked_at = parts_.clock.now();
  auto confirmed = co_await parts_.account.send(body, kTxTimeout);
  if (!confirmed) co_return std::unexpected(from_send(confirmed.error()));
  auto session = co_await trial.reader.record<ledger::Session>(
      ledger::Family::sessions, ledger::id_key(trial.session.id), confirmed->height);
  if (!session) co_return unreachable(light::describe(session.error()));
  if (!*session) co_return unreachable("the session is not there");
  trial.session = std::move(**session);
  auto bundle = co_await trial.reader.bundle(parts_.genesis);
  if (!bundle) co_return unreachable(light::describe(bundle.error()));
  trial.bundle = std::move(*bundle);
  trial.bundle.evidence = items_of(facts.attestation.evidence);
  trial.bundle.claims = facts.attestation.claims;
  trial.bundle.channel = {facts.bind, facts.spki_sha256, facts.request_sha256};
  trial.bundle.sealing = {parts_.padding, trial.keys.config_sha256};
  trial.bundle.checked_at = checked_at;
  auto report = trust::evaluate(trial.bundle, {parts_.genesis.hash(), parts_.local_policy});
  if (auto failure = report.first_failure()) {
    co_return untrusted(fmt::format("{}: {}", failure->name, failure->found));
  }
  co_return Done{};
}

// Tells the ledger, which draws again without this instance. The height of the report on success.
asio::awaitable<std::expected<int64_t, ApiError>> SessionOpener::report(const Trial& trial) {
  bool reached = !trial.judgement.items.empty();
  ledger::ReportAttestation body;
  body.session = trial.session.id;
  body.reason = trial.judgement.policy_reason() ? ledger::ReportReason::local_policy
                : reached                       ? ledger::ReportReason::evidence_refused
                                                : ledger::ReportReason::unreachable;
  auto sent = co_await parts_.account.send(body, kTxTimeout);
  if (!sent) co_return std::unexpected(from_send(sent.error()));
  co_return sent->height;
}

asio::awaitable<void> SessionOpener::close(ledger::SessionId session) {
  ledger::CloseSession body;
  body.session = session;
  auto closed = co_await parts_.account.send(body, kTxTimeout);
  if (!closed) parts_.log.info("session_not_closed", {{"session", session}});
}

}  // namespace cloister::gateway
