#include "gateway/session_opener.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "crypto/hash.h"
#include "ledger/types/bodies.h"
#include "trust/report.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;
using Done = std::expected<void, ApiError>;

constexpr light::Millis kTxTimeout{30'000};
constexpr size_t kMaxTrials = 8;

std::unexpected<ApiError> refuse(ApiError error) {
  return std::unexpected(std::move(error));
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

struct SessionOpener::Trial : Drawn {
  using Drawn::Drawn;
  std::optional<light::LightError> unread;  // what kept the evidence from being judged
  std::unique_ptr<atls::AtlsConnection> connection;
  trust::Bundle bundle;
};

asio::awaitable<SessionOpener::Opened> SessionOpener::open(SessionWish wish) {
  const auto body = open_body(wish);
  auto opened = co_await parts_.account.send(body, kTxTimeout);
  if (!opened) co_return refuse(ledger_fault(opened.error()));
  auto id = to_fixed<32>(opened->data);
  if (!id) co_return refuse(ledger_fault("it named no session"));
  int64_t height = opened->height;
  ApiError last{ApiCode::no_verified_node, "no node passed verification", ""};
  for (size_t trials = 0; trials < kMaxTrials; ++trials) {
    auto session = co_await parts_.draws.wait_assigned(*id, height);
    if (!session) {
      // That nobody else is left is no news once somebody was refused: why is.
      bool drawn_out = trials > 0 && session.error().code == ApiCode::no_verified_node;
      co_return std::unexpected(drawn_out ? last : session.error());
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

asio::awaitable<Done> SessionOpener::examine(Trial& trial) {
  auto read = co_await parts_.draws.read(trial);
  if (!read) co_return read;
  auto attested = co_await attest(trial);
  if (!attested) co_return attested;
  auto keys = co_await parts_.draws.read_keys(trial);
  if (!keys) co_return keys;
  co_return co_await confirm(trial);
}

// Judges the evidence of this connection by the vendors' objects that it names.
asio::awaitable<std::expected<Hash32, atls::Refusal>> SessionOpener::judge(
    Trial& trial, const atls::PeerEvidence& peer) {
  const auto items = items_of(peer.evidence);
  auto read = co_await parts_.draws.judge(
      trial, items, evidence::Binding::report_data(peer.expected_report_data));
  if (!read) {
    trial.unread = read.error();
    co_return std::unexpected(atls::Refusal::stale);
  }
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
  if (!endpoint) co_return refuse(untrusted("its endpoint is not host:port"));
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
    if (trial.unread) co_return refuse(ledger_fault(*trial.unread));
    if (auto error = trial.judgement.evidence_error())
      co_return refuse(untrusted(evidence::name(*error)));
    if (auto reason = trial.judgement.policy_reason())
      co_return refuse(untrusted(policy::name(*reason)));
    co_return refuse(untrusted(atls::name(connection.error())));
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
  if (!confirmed) co_return refuse(ledger_fault(confirmed.error()));
  auto session = co_await trial.reader.record<ledger::Session>(
      ledger::Family::sessions, ledger::id_key(trial.session.id), confirmed->height);
  if (!session) co_return refuse(ledger_fault(session.error()));
  if (!*session) co_return refuse(ledger_fault("the session is not there"));
  trial.session = std::move(**session);
  auto bundle = co_await trial.reader.bundle(parts_.genesis);
  if (!bundle) co_return refuse(ledger_fault(bundle.error()));
  trial.bundle = std::move(*bundle);
  trial.bundle.evidence = items_of(facts.attestation.evidence);
  trial.bundle.claims = facts.attestation.claims;
  trial.bundle.channel = {facts.bind, facts.spki_sha256, facts.request_sha256};
  trial.bundle.sealing = {parts_.padding, trial.keys.config_sha256};
  trial.bundle.checked_at = checked_at;
  auto report = trust::evaluate(trial.bundle, {parts_.genesis.hash(), parts_.local_policy});
  if (auto failure = report.first_failure()) {
    co_return refuse(untrusted(fmt::format("{}: {}", failure->name, failure->found)));
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
  if (!sent) co_return refuse(ledger_fault(sent.error()));
  co_return sent->height;
}

asio::awaitable<void> SessionOpener::close(ledger::SessionId session) {
  ledger::CloseSession body;
  body.session = session;
  auto closed = co_await parts_.account.send(body, kTxTimeout);
  if (!closed) parts_.log.info("session_not_closed", {{"session", session}});
}

}  // namespace cloister::gateway
