#include "gateway/draws.h"

#include <boost/asio/use_awaitable.hpp>

#include "ledger/types/beacon.h"
#include "ledger/types/draw.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr light::Millis kDrawTimeout{30'000};
constexpr int64_t kKeyBlocks = 16;  // an instance publishes its keys right after it registers

std::unexpected<ApiError> refuse(ApiError error) {
  return std::unexpected(std::move(error));
}

}  // namespace

// The draw comes two blocks after the request. Blocks are hints; the record is read with its proof.
Draws::Answer<ledger::Session> Draws::wait_assigned(ledger::SessionId id, int64_t height) const {
  for (int64_t waited = 0; waited < 64; ++waited) {
    LedgerReader reader(parts_.ledger);
    auto session = co_await reader.record<ledger::Session>(ledger::Family::sessions,
                                                           ledger::id_key(id), height);
    if (!session) co_return refuse(ledger_fault(session.error()));
    if (!*session) co_return refuse(ledger_fault("the session is not there"));
    using ledger::SessionState;
    if ((*session)->state == SessionState::assigned) {
      auto held = co_await check_draw(**session);
      if (!held) co_return refuse(held.error());
      co_return std::move(**session);
    }
    if ((*session)->state != SessionState::requested) {
      co_return std::unexpected(ApiError{ApiCode::no_verified_node,
                                         "the network has no node for this model and policy", ""});
    }
    auto next = co_await parts_.ledger.watch(height + 1, kDrawTimeout);
    if (!next) co_return refuse(ledger_fault(next.error()));
    ++height;
  }
  co_return std::unexpected(
      ApiError{ApiCode::no_verified_node, "the ledger drew no node in time", ""});
}

// These reads are no part of a bundle: a receipt says who answered, not how it came to that.
Draws::Answer<void> Draws::check_draw(const ledger::Session& session) const {
  using ledger::Family;
  LedgerReader reader(parts_.ledger);
  const uint64_t height = session.request_height;
  auto frozen = co_await reader.record<ledger::FrozenPools>(
      Family::draws, ledger::frozen_key(height, session.model_root));
  if (!frozen) co_return refuse(ledger_fault(frozen.error()));
  auto beacon =
      co_await reader.record<ledger::Beacon>(Family::beacon, ledger::number_key(height + 1));
  if (!beacon) co_return refuse(ledger_fault(beacon.error()));
  auto winner = co_await reader.record<ledger::Drawn>(Family::draws, ledger::id_key(session.id));
  if (!winner) co_return refuse(ledger_fault(winner.error()));
  if (!*frozen || !*beacon || !*winner) co_return refuse(ledger_fault("it does not show its draw"));
  const auto& genesis = parts_.genesis;
  if ((*beacon)->height != height + 1 ||
      !ledger::verify_beacon(genesis.chain_id, genesis.beacon, **beacon)) {
    co_return refuse(ledger_fault("the beacon of its draw is not the validators'"));
  }
  const auto held = ledger::verify_draw(session, **frozen, *(*beacon)->value, **winner);
  if (!held) co_return refuse(ledger_fault(ledger::describe(held.error())));
  co_return std::expected<void, ApiError>{};
}

Draws::Answer<void> Draws::read(Drawn& drawn) const {
  auto& reader = drawn.reader;
  auto instance = co_await reader.record<ledger::Instance>(ledger::Family::instances,
                                                           ledger::id_key(*drawn.session.instance));
  if (!instance) co_return refuse(ledger_fault(instance.error()));
  if (!*instance) co_return refuse(untrusted("it is not on the ledger"));
  drawn.instance = std::move(**instance);
  auto policy = co_await reader.record<ledger::NetworkPolicy>(
      ledger::Family::policy, to_buffer(as_bytes(ledger::kPolicyKey)));
  if (!policy) co_return refuse(ledger_fault(policy.error()));
  if (!*policy) co_return refuse(ledger_fault("it has no policy"));
  drawn.policy = std::move(**policy);
  if (!parts_.admits_policy(drawn.policy.version)) {
    co_return refuse(ledger_fault("its policy is older than one that was in force before"));
  }
  auto model = co_await reader.record<ledger::Model>(ledger::Family::models,
                                                     ledger::id_key(drawn.session.model_root));
  if (!model) co_return refuse(ledger_fault(model.error()));
  drawn.rules = policy::layered(admission::rules_of(drawn.policy));
  if (parts_.local_policy) drawn.rules = policy::tightened(drawn.rules, *parts_.local_policy);
  auto latest = co_await parts_.ledger.latest();
  if (!latest) co_return refuse(ledger_fault(latest.error()));
  drawn.height = latest->height;
  co_return std::expected<void, ApiError>{};
}

Draws::Answer<void> Draws::read_keys(Drawn& drawn) const {
  const int64_t last = drawn.height + kKeyBlocks;
  for (int64_t height = 0;; height = std::max(height, drawn.height) + 1) {
    if (height > last) co_return refuse(untrusted("it has published no keys"));
    if (height > 0) {
      auto next = co_await parts_.ledger.watch(height, kDrawTimeout);
      if (!next) co_return refuse(ledger_fault(next.error()));
    }
    auto published = co_await drawn.reader.record<ledger::KeySet>(
        ledger::Family::keys, ledger::id_key(drawn.instance.id), height);
    if (!published) co_return refuse(ledger_fault(published.error()));
    auto keys = *published ? choose_keys(**published, parts_.clock.now_ms()) : std::nullopt;
    if (!keys) continue;
    drawn.keys = std::move(*keys);
    co_return std::expected<void, ApiError>{};
  }
}

asio::awaitable<std::expected<void, light::LightError>> Draws::judge(
    Drawn& drawn, std::span<const ledger::EvidenceItem> cpus, evidence::Binding binding) const {
  const auto anchors = admission::anchors_of(parts_.genesis);
  std::vector<evidence::CollateralName> names;
  for (const auto& item : cpus) {
    const evidence::Evidence one{static_cast<evidence::Format>(item.format), item.bytes};
    const auto needed = evidence::collateral_needed(one, anchors);
    if (needed) names.insert(names.end(), needed->begin(), needed->end());
  }
  auto collateral = co_await drawn.reader.collateral(std::move(names));
  if (!collateral) co_return std::unexpected(collateral.error());
  drawn.judgement = admission::judge(
      {cpus, admission::lookup_in(*collateral), anchors, drawn.rules, std::move(binding),
       parts_.clock.now(), static_cast<uint64_t>(drawn.height), parts_.genesis.chain_id});
  co_return std::expected<void, light::LightError>{};
}

}  // namespace cloister::gateway
