#include "node/registrar.h"

#include <fmt/format.h>

#include "ledger/types/account.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"

namespace cloister::node {
namespace {

namespace asio = boost::asio;

constexpr light::Millis kTimeout{30'000};

std::unexpected<RegistrarFault> fault(RegistrarError error, std::string_view detail) {
  return std::unexpected(RegistrarFault{error, std::string(detail)});
}

std::unexpected<RegistrarFault> from_light(light::LightError error) {
  return fault(RegistrarError::ledger_unreachable, light::describe(error));
}

std::unexpected<RegistrarFault> from_send(const light::SendError& error) {
  return fault(error.code ? RegistrarError::refused : RegistrarError::ledger_unreachable,
               error.describe());
}

}  // namespace

std::string_view describe(RegistrarError error) {
  switch (error) {
    case RegistrarError::ledger_unreachable:
      return "the ledger could not be read with a proof";
    case RegistrarError::refused:
      return "the ledger refused";
    case RegistrarError::no_evidence:
      return "the TEE gave no evidence";
    case RegistrarError::not_recorded:
      return "the ledger's record is not this instance's";
  }
  std::abort();
}

std::string RegistrarFault::message() const {
  return fmt::format("{}: {}", describe(error), detail);
}

asio::awaitable<Registrar::Step> Registrar::bond() {
  auto read = co_await parts_.ledger.read(ledger::Family::operators,
                                          ledger::id_key(parts_.account.id()), 0, kTimeout);
  if (!read) co_return from_light(read.error());
  auto held = read->value ? ledger::Operator::decode(*read->value) : std::nullopt;
  uint64_t stake = held ? held->stake_micro : 0;
  uint64_t wanted = parts_.genesis.params.min_stake_micro;
  if (stake >= wanted) co_return Step{};
  ledger::OperatorBond body;
  body.amount_micro = wanted - stake;
  auto sent = co_await parts_.account.send(body, kTimeout);
  if (!sent) co_return from_send(sent.error());
  co_return Step{};
}

// What the ledger holds already, or newer, is as good as ours.
asio::awaitable<Registrar::Step> Registrar::bring_collateral() {
  for (auto& files : parts_.tee.collateral(parts_.clock.now())) {
    ledger::PutCollateral body;
    body.files = std::move(files);
    auto sent = co_await parts_.account.send(body, kTimeout);
    bool newer_there = !sent && sent.error().code == ledger::Code::collateral_rollback;
    if (!sent && !newer_there) co_return from_send(sent.error());
  }
  co_return Step{};
}

std::expected<Registrar::Bound, RegistrarFault> Registrar::bound_to(const light::TrustRoot& block) {
  const auto& chain_id = parts_.genesis.chain_id;
  const auto op = parts_.account.id();
  const auto height = static_cast<uint64_t>(block.height);
  Bound out{parts_.claims, {}};
  auto gpus = parts_.tee.gpus(
      ledger::registration_gpu_nonce(chain_id, op, block.header_hash, height, out.claims));
  if (!gpus) return fault(RegistrarError::no_evidence, describe(gpus.error()));
  if (*gpus) out.evidence.push_back(std::move(**gpus));
  out.claims.gpu_evidence_sha256 = ledger::gpu_evidence_digest(out.evidence);
  auto cpus = parts_.tee.quote(
      ledger::registration_binding(chain_id, op, block.header_hash, height, out.claims));
  if (!cpus) return fault(RegistrarError::no_evidence, describe(cpus.error()));
  out.evidence.insert(out.evidence.begin(), cpus->begin(), cpus->end());
  return out;
}

asio::awaitable<Registrar::Outcome> Registrar::enter() {
  auto bonded = co_await bond();
  if (!bonded) co_return std::unexpected(bonded.error());
  auto brought = co_await bring_collateral();
  if (!brought) co_return std::unexpected(brought.error());
  auto block = co_await parts_.ledger.latest();
  if (!block) co_return from_light(block.error());
  auto bound = bound_to(*block);
  if (!bound) co_return std::unexpected(bound.error());
  ledger::Registration registration;
  registration.identity_key = parts_.identity.identity.public_key();
  registration.claims = bound->claims.encode();
  registration.evidence = std::move(bound->evidence);
  registration.endpoint = parts_.endpoint;
  ledger::Offer offer;
  offer.model_root = parts_.claims.models.front();
  offer.price_micro = parts_.config.price_micro;
  registration.offers = {offer};
  registration.capacity = parts_.config.capacity;
  registration.block_height = static_cast<uint64_t>(block->height);
  registration.block_hash = block->header_hash;
  auto body = ledger::sign_registration(registration, parts_.genesis.chain_id, parts_.account.id(),
                                        parts_.identity.identity);
  auto sent = co_await parts_.account.send(body, kTimeout);
  if (!sent) co_return from_send(sent.error());
  co_return co_await proven_record(sent->height);
}

asio::awaitable<Registrar::Outcome> Registrar::renew() {
  auto brought = co_await bring_collateral();
  if (!brought) co_return std::unexpected(brought.error());
  auto block = co_await parts_.ledger.latest();
  if (!block) co_return from_light(block.error());
  auto bound = bound_to(*block);
  if (!bound) co_return std::unexpected(bound.error());
  ledger::Renewal renewal;
  renewal.instance = parts_.identity.instance_id();
  renewal.claims = bound->claims.encode();
  renewal.evidence = std::move(bound->evidence);
  renewal.block_height = static_cast<uint64_t>(block->height);
  renewal.block_hash = block->header_hash;
  auto body = ledger::sign_renewal(renewal, parts_.genesis.chain_id, parts_.identity.identity);
  auto sent = co_await parts_.account.send(body, kTimeout);
  if (!sent) co_return from_send(sent.error());
  co_return co_await proven_record(sent->height);
}

asio::awaitable<Registrar::Step> Registrar::publish(const sealed::KeyEpoch& epoch) {
  ledger::KeyRotation rotation;
  rotation.instance = parts_.identity.instance_id();
  rotation.keys.epoch = epoch.number;
  rotation.keys.valid_from_ms = static_cast<uint64_t>(epoch.valid_from_ms);
  rotation.keys.valid_until_ms = static_cast<uint64_t>(epoch.valid_until_ms);
  rotation.keys.config = epoch.config;
  auto body = ledger::sign_rotation(rotation, parts_.genesis.chain_id, parts_.identity.identity);
  auto sent = co_await parts_.account.send(body, kTimeout);
  if (!sent) co_return from_send(sent.error());
  co_return Step{};
}

asio::awaitable<Registrar::Outcome> Registrar::proven_record(int64_t height) {
  auto read = co_await parts_.ledger.read(
      ledger::Family::instances, ledger::id_key(parts_.identity.instance_id()), height, kTimeout);
  if (!read) co_return from_light(read.error());
  auto record = read->value ? ledger::Instance::decode(*read->value) : std::nullopt;
  bool ours = record && record->identity_key == parts_.identity.identity.public_key() &&
              record->spki_sha256 == parts_.identity.spki_sha256 &&
              record->state == ledger::InstanceState::active;
  if (!ours) co_return fault(RegistrarError::not_recorded, "the proven record differs");
  co_return *record;
}

}  // namespace cloister::node
