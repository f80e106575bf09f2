#include "ledger/types/tx.h"

#include <algorithm>
#include <utility>

#include "ledger/types/bodies.h"
#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

Buffer signing_bytes(Bytes tx) {
  return tagged("cloister tx v1").bytes(tx).take();
}

Buffer registration_bytes(const Registration& registration, std::string_view chain_id,
                          const AccountId& operator_account) {
  return tagged("cloister register v1")
      .bytes(chain_hash(chain_id))
      .bytes(operator_account)
      .bytes(registration.encode())
      .take();
}

Buffer renewal_bytes(const Renewal& renewal, std::string_view chain_id) {
  return tagged("cloister renew v1").bytes(chain_hash(chain_id)).bytes(renewal.encode()).take();
}

Buffer rotation_bytes(const KeyRotation& rotation, std::string_view chain_id) {
  return tagged("cloister keys v1").bytes(chain_hash(chain_id)).bytes(rotation.encode()).take();
}

Buffer join_bytes(std::string_view chain_id, const AccountId& operator_account) {
  return tagged("cloister validator v1").bytes(chain_hash(chain_id)).bytes(operator_account).take();
}

// Nothing of it is believed yet.
std::expected<std::pair<SignedTx, Tx>, Code> opened_envelope(Bytes bytes,
                                                             std::string_view chain_id) {
  if (bytes.size() > kMaxTxBytes) return std::unexpected(Code::too_large);
  auto envelope = SignedTx::decode(bytes);
  auto tx = envelope ? Tx::decode(envelope->tx) : std::nullopt;
  if (!tx) return std::unexpected(Code::malformed);
  if (tx->chain_id != chain_id) return std::unexpected(Code::wrong_chain);
  return std::pair(std::move(*envelope), std::move(*tx));
}

}  // namespace

SignedTx sign(const Tx& tx, const crypto::Ed25519Key& key) {
  SignedTx out;
  out.tx = tx.encode();
  out.signature = key.sign(signing_bytes(out.tx));
  return out;
}

std::expected<Tx, Code> open_tx(Bytes bytes, std::string_view chain_id) {
  auto opened = opened_envelope(bytes, chain_id);
  if (!opened) return std::unexpected(opened.error());
  const auto& [envelope, tx] = *opened;
  if (!crypto::verify_ed25519(tx.account, signing_bytes(envelope.tx), envelope.signature)) {
    return std::unexpected(Code::bad_signature);
  }
  return std::move(opened->second);
}

std::expected<Tx, Code> open_again(Bytes bytes, std::string_view chain_id) {
  auto opened = opened_envelope(bytes, chain_id);
  if (!opened) return std::unexpected(opened.error());
  return std::move(opened->second);
}

Hash32 tx_id(Bytes signed_tx) {
  return crypto::sha256(signed_tx);
}

RegisterInstance sign_registration(const Registration& registration, std::string_view chain_id,
                                   const AccountId& operator_account,
                                   const crypto::Ed25519Key& identity) {
  RegisterInstance out;
  out.registration = registration;
  out.identity_signature =
      identity.sign(registration_bytes(registration, chain_id, operator_account));
  return out;
}

bool verify_registration(const RegisterInstance& body, std::string_view chain_id,
                         const AccountId& operator_account) {
  return crypto::verify_ed25519(body.registration.identity_key,
                                registration_bytes(body.registration, chain_id, operator_account),
                                body.identity_signature);
}

RenewInstance sign_renewal(const Renewal& renewal, std::string_view chain_id,
                           const crypto::Ed25519Key& identity) {
  RenewInstance out;
  out.renewal = renewal;
  out.identity_signature = identity.sign(renewal_bytes(renewal, chain_id));
  return out;
}

bool verify_renewal(const RenewInstance& body, std::string_view chain_id,
                    const crypto::Ed25519Public& identity_key) {
  return crypto::verify_ed25519(identity_key, renewal_bytes(body.renewal, chain_id),
                                body.identity_signature);
}

RotateKeys sign_rotation(const KeyRotation& rotation, std::string_view chain_id,
                         const crypto::Ed25519Key& identity) {
  RotateKeys out;
  out.rotation = rotation;
  out.identity_signature = identity.sign(rotation_bytes(rotation, chain_id));
  return out;
}

bool verify_rotation(const RotateKeys& body, std::string_view chain_id,
                     const crypto::Ed25519Public& identity_key) {
  return crypto::verify_ed25519(identity_key, rotation_bytes(body.rotation, chain_id),
                                body.identity_signature);
}

ValidatorAddress validator_address(const crypto::Ed25519Public& public_key) {
  ValidatorAddress out{};
  std::ranges::copy(Bytes(crypto::sha256(public_key)).first(out.size()), out.begin());
  return out;
}

JoinValidators sign_join(std::string_view chain_id, const AccountId& operator_account,
                         const crypto::Ed25519Key& consensus_key) {
  JoinValidators out;
  out.public_key = consensus_key.public_key();
  out.signature = consensus_key.sign(join_bytes(chain_id, operator_account));
  return out;
}

bool verify_join(const JoinValidators& body, std::string_view chain_id,
                 const AccountId& operator_account) {
  return crypto::verify_ed25519(body.public_key, join_bytes(chain_id, operator_account),
                                body.signature);
}

template struct Record<Tx>;
template struct Record<SignedTx>;
template struct Record<Transfer>;
template struct Record<OperatorBond>;
template struct Record<OperatorUnbond>;
template struct Record<OperatorWithdraw>;
template struct Record<PutCollateral>;
template struct Record<Registration>;
template struct Record<RegisterInstance>;
template struct Record<Renewal>;
template struct Record<RenewInstance>;
template struct Record<KeyRotation>;
template struct Record<RotateKeys>;
template struct Record<DrainInstance>;
template struct Record<RetireInstance>;
template struct Record<RevokeInstance>;
template struct Record<RegisterModel>;
template struct Record<UpdateModel>;
template struct Record<DeprecateModel>;
template struct Record<OpenSession>;
template struct Record<ConfirmAttestation>;
template struct Record<ReportAttestation>;
template struct Record<Settle>;
template struct Record<CloseSession>;
template struct Record<ValidatorRecord>;
template struct Record<JoinValidators>;
template struct Record<LeaveValidators>;

}  // namespace cloister::ledger
