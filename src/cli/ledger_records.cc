#include "cli/ledger_records.h"

#include <charconv>

#include "base/text.h"
#include "ledger/types/beacon.h"
#include "ledger/types/collateral.h"
#include "ledger/types/receipt.h"

namespace cloister::cli {
namespace {

using namespace ledger;

constexpr size_t kIdBytes = 32;

template <typename T>
std::optional<JsonValue> as(Bytes value) {
  const auto record = T::decode(value);
  return record ? std::optional(record->to_json()) : std::nullopt;
}

std::optional<JsonValue> params_json(Bytes key, Bytes value) {
  if (equal(key, as_bytes(kParamsKey))) return as<Params>(value);
  if (equal(key, as_bytes(kGenesisKey))) return as<Genesis>(value);
  return as<Totals>(value);
}

std::optional<JsonValue> draws_json(Bytes key, Bytes value) {
  if (is_frozen_key(key)) return as<FrozenPools>(value);
  return key.size() == kIdBytes ? as<Drawn>(value) : std::nullopt;
}

std::optional<uint64_t> number_from(std::string_view text) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// Calls `use` with an empty body of the kind.
template <typename Use>
auto with_body(TxKind kind, Use use) -> decltype(use(Transfer())) {
  switch (kind) {
    case TxKind::transfer:
      return use(Transfer());
    case TxKind::operator_bond:
      return use(OperatorBond());
    case TxKind::operator_unbond:
      return use(OperatorUnbond());
    case TxKind::operator_withdraw:
      return use(OperatorWithdraw());
    case TxKind::put_collateral:
      return use(PutCollateral());
    case TxKind::register_instance:
      return use(RegisterInstance());
    case TxKind::renew_instance:
      return use(RenewInstance());
    case TxKind::rotate_keys:
      return use(RotateKeys());
    case TxKind::drain_instance:
      return use(DrainInstance());
    case TxKind::retire_instance:
      return use(RetireInstance());
    case TxKind::revoke_instance:
      return use(RevokeInstance());
    case TxKind::register_model:
      return use(RegisterModel());
    case TxKind::update_model:
      return use(UpdateModel());
    case TxKind::deprecate_model:
      return use(DeprecateModel());
    case TxKind::open_session:
      return use(OpenSession());
    case TxKind::confirm_attestation:
      return use(ConfirmAttestation());
    case TxKind::report_attestation:
      return use(ReportAttestation());
    case TxKind::settle:
      return use(Settle());
    case TxKind::close_session:
      return use(CloseSession());
    case TxKind::submit_job:
      return use(SubmitJob());
    case TxKind::post_input:
      return use(PostInput());
    case TxKind::post_result:
      return use(PostResult());
    case TxKind::join_validators:
      return use(JoinValidators());
    case TxKind::leave_validators:
      return use(LeaveValidators());
    case TxKind::commit_receipts:
      return use(CommitReceipts());
    case TxKind::open_receipt:
      return use(OpenReceipt());
    case TxKind::commit_verdict:
      return use(CommitVerdict());
    case TxKind::reveal_verdict:
      return use(RevealVerdict());
    case TxKind::appeal:
      return use(Appeal());
    case TxKind::propose:
      return use(Propose());
    case TxKind::vote:
      return use(Vote());
    case TxKind::release_approve:
      return use(ReleaseApprove());
    case TxKind::emergency_pause:
      return use(PauseFormat());
  }
  return {};
}

template <typename Use>
auto with_change(ProposalKind kind, Use use) -> decltype(use(Params())) {
  switch (kind) {
    case ProposalKind::vendor_policy:
      return use(VendorPolicy());
    case ProposalKind::params:
      return use(Params());
    case ProposalKind::restriction:
    case ProposalKind::lift:
      return use(Restriction());
    case ProposalKind::revoke_instance:
      return use(Revocation());
    case ProposalKind::add_release:
      return use(Release());
    case ProposalKind::withdraw_release:
      return use(Withdrawal());
  }
  return {};
}

template <typename T>
std::optional<Buffer> encoded(const T&, const JsonValue& json) {
  const auto record = T::from_json(json);
  return record ? std::optional(record->encode()) : std::nullopt;
}

}  // namespace

std::optional<JsonValue> record_json(Family family, Bytes key, Bytes value) {
  switch (family) {
    case Family::accounts:
      return as<Account>(value);
    case Family::batches:
      return key.size() == kIdBytes ? as<Batch>(value) : as<Audit>(value);
    case Family::beacon:
      return as<Beacon>(value);
    case Family::blocks:
      return as<BlockRef>(value);
    case Family::checks:
      return as<Check>(value);
    case Family::collateral:
      return as<CollateralRecord>(value);
    case Family::draws:
      return draws_json(key, value);
    case Family::instances:
      return as<Instance>(value);
    case Family::jobs:
      return as<Job>(value);
    case Family::keys:
      return as<KeySet>(value);
    case Family::models:
      return key.size() == kIdBytes ? as<Model>(value) : std::nullopt;
    case Family::operators:
      return key.size() == kIdBytes ? as<Operator>(value) : std::nullopt;
    case Family::params:
      return params_json(key, value);
    case Family::policy:
      return equal(key, as_bytes(kLayersKey)) ? as<PolicyLayers>(value) : as<NetworkPolicy>(value);
    case Family::proposals:
      return key.size() == kIdBytes ? as<Proposal>(value) : as<Ballot>(value);
    case Family::sessions:
      return as<Session>(value);
    case Family::standings:
      return as<Standings>(value);
    case Family::validators:
      return key.size() == sizeof(ledger::ValidatorAddress) ? as<ValidatorRecord>(value)
                                                            : std::nullopt;
    case Family::assignments:
    case Family::due:
    case Family::outbox:
    case Family::platforms:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Buffer> key_from_text(Family family, std::string_view text) {
  switch (family) {
    case Family::params:
      return to_buffer(as_bytes(text));
    case Family::policy:
      if (const auto version = number_from(text)) return number_key(*version);
      return to_buffer(as_bytes(text));
    case Family::beacon:
    case Family::blocks: {
      const auto height = number_from(text);
      return height ? std::optional(number_key(*height)) : std::nullopt;
    }
    default:
      return from_hex(text);
  }
}

std::optional<Buffer> body_from_json(TxKind kind, const JsonValue& json) {
  return with_body(kind, [&](const auto& body) { return encoded(body, json); });
}

std::optional<Buffer> change_from_json(ProposalKind kind, const JsonValue& json) {
  return with_change(kind, [&](const auto& change) { return encoded(change, json); });
}

JsonValue change_json(ProposalKind kind, Bytes change) {
  return with_change(kind,
                     [&]<typename T>(const T&) { return as<T>(change).value_or(JsonValue()); });
}

std::optional<JsonValue> body_example(TxKind kind) {
  return with_body(kind, [](const auto& body) { return std::optional(body.to_json()); });
}

JsonValue change_example(ProposalKind kind) {
  return with_change(kind, [](const auto& change) { return change.to_json(); });
}

}  // namespace cloister::cli
