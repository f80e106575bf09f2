#include "gateway/registration.h"

#include "ledger/types/bodies.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;
constexpr light::Millis kBlockTimeout{15'000};

// Registration and renewal have these members in common.
template <typename Declared>
std::optional<RegisteredEvidence> matching(Declared declared, const ledger::Instance& instance) {
  if (ledger::evidence_hash(declared.evidence) != instance.evidence_sha256) return std::nullopt;
  if (!equal(declared.claims, instance.claims)) return std::nullopt;
  return RegisteredEvidence{std::move(declared.evidence),
                            {declared.block_height, declared.block_hash}};
}

std::optional<RegisteredEvidence> evidence_in(Bytes signed_tx, const std::string& chain_id,
                                              const ledger::Instance& instance) {
  const auto tx = ledger::open_tx(signed_tx, chain_id);
  if (!tx) return std::nullopt;
  if (tx->kind == ledger::TxKind::register_instance) {
    auto body = ledger::RegisterInstance::decode(tx->body);
    return body ? matching(std::move(body->registration), instance) : std::nullopt;
  }
  if (tx->kind == ledger::TxKind::renew_instance) {
    auto body = ledger::RenewInstance::decode(tx->body);
    return body ? matching(std::move(body->renewal), instance) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

asio::awaitable<std::expected<RegisteredEvidence, ApiError>> registered_evidence(
    light::Client& ledger, const std::string& chain_id, const ledger::Instance& instance) {
  const auto height = static_cast<int64_t>(instance.verified_height);
  const auto txs = co_await ledger.block_txs(height, kBlockTimeout);
  if (!txs) co_return std::unexpected(ledger_fault(txs.error()));
  for (const Buffer& tx : *txs) {
    if (auto found = evidence_in(tx, chain_id, instance)) co_return std::move(*found);
  }
  co_return std::unexpected(untrusted("the block of its registration does not hold its evidence"));
}

}  // namespace cloister::gateway
