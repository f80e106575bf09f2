#include "ledger/state/context.h"
#include "ledger/types/receipt.h"

namespace cloister::ledger {
namespace {

// Whether a refusal says something against the platform or the program on it, not about what the
// ledger holds to judge them by.
bool speaks_against(Code code) {
  switch (code) {
    case Code::evidence_revoked:
    case Code::evidence_no_tcb_level:
    case Code::evidence_debug_enabled:
    case Code::evidence_policy_denied:
    case Code::evidence_service_td:
    case Code::evidence_tcb_status:
    case Code::evidence_identity_mismatch:
    case Code::evidence_measurement_mismatch:
    case Code::policy_tcb_status:
    case Code::policy_tcb_evaluation:
    case Code::policy_advisory:
    case Code::policy_product:
    case Code::policy_measurement:
    case Code::policy_development:
    case Code::policy_platform:
    case Code::policy_paused:
      return true;
    default:
      return false;
  }
}

bool key_revoked(const Context& c, Instance instance) {
  const StandingJudge judge = c.verifier.standing_judge(collateral_of(c));
  return judge_standings(c, judge, instance).key_revoked;
}

Verdict unfounded(Context& c, const Accuser& accuser, const Instance& instance) {
  if (!debit(c, accuser.account, c.params.report_fee_micro)) return Code::insufficient_balance;
  credit(c, treasury_account(), c.params.report_fee_micro);
  c.emit("report.unfounded", {{"instance", to_hex(instance.id)}});
  return Code::ok;
}

std::optional<SignedReceipt> receipt_of(const Context& c, const Instance& instance, Bytes bytes) {
  auto signed_receipt = SignedReceipt::decode(bytes);
  if (!signed_receipt || signed_receipt->receipt.chain_id != c.chain_id() ||
      signed_receipt->receipt.instance_id != instance.id ||
      !verify_receipt(*signed_receipt, instance.identity_key)) {
    return std::nullopt;
  }
  return signed_receipt;
}

// An honest instance signs one receipt for each answer of a session.
Verdict judge_receipts(Context& c, const Tx& tx, const RevokeInstance& body, Instance instance) {
  if (instance.state == InstanceState::revoked) return Code::instance_not_live;
  if (body.receipts.size() != 2) return Code::proof_invalid;
  const auto one = receipt_of(c, instance, body.receipts[0]);
  const auto other = receipt_of(c, instance, body.receipts[1]);
  if (!one || !other || one->receipt.session != other->receipt.session ||
      one->receipt.sequence != other->receipt.sequence) {
    return Code::proof_invalid;
  }
  if (one->receipt == other->receipt) return Code::receipts_agree;
  revoke_instance(c, std::move(instance), {tx.account, c.params.slash_finder_permille},
                  "two_receipts");
  return Code::ok;
}

}  // namespace

void revoke_instance(Context& c, Instance instance, const Accuser& accuser,
                     std::string_view reason) {
  slash(c, instance.operator_account, accuser.account, accuser.share_permille,
        c.params.fault_slash_micro);
  change_reputation(c, instance.operator_account, -int64_t{c.params.reputation_fault_loss});
  c.emit("report.upheld", {{"instance", to_hex(instance.id)}, {"code", std::string(reason)}});
  end_instance(c, std::move(instance), InstanceState::revoked);
}

// The evidence is bound to the instance by the hash in its record, so nobody can bring evidence of
// something else against it.
Verdict judge_evidence(Context& c, const Accuser& accuser, std::span<const EvidenceItem> evidence,
                       Instance instance) {
  if (evidence_hash(evidence) != instance.evidence_sha256) {
    return Code::not_the_registration_evidence;
  }
  if (!is_live(instance)) return Code::instance_not_live;
  const auto now = verify_evidence(c, c.policy, evidence, instance);
  if (now) return unfounded(c, accuser, instance);
  if (now.error() == Code::evidence_revoked && key_revoked(c, instance)) {
    revoke_instance(c, std::move(instance), accuser, name(now.error()));
    return Code::ok;
  }
  if (instance.state != InstanceState::active || !speaks_against(now.error())) {
    return Code::collateral_cannot_judge;
  }
  suspend_instance(c, std::move(instance), now.error());
  return Code::ok;
}

Verdict apply_revoke(Context& c, const Tx& tx, const RevokeInstance& body) {
  auto instance = c.instance(body.instance);
  if (!instance) return Code::instance_unknown;
  if (body.evidence.empty()) return judge_receipts(c, tx, body, std::move(*instance));
  if (!body.receipts.empty()) return Code::proof_invalid;
  return judge_evidence(c, {tx.account, c.params.slash_finder_permille}, body.evidence,
                        std::move(*instance));
}

}  // namespace cloister::ledger
