#include <algorithm>

#include "ledger/state/plain_ledger_testing.h"
#include "ledger/types/receipt.h"

namespace cloister::ledger {

using namespace plain;

namespace {

bool is_endpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return false;
  for (char each : text.substr(0, colon)) {
    const bool letter = (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9');
    if (!letter && std::string(".-[]:").find(each) == std::string::npos) return false;
  }
  unsigned long port = 0;
  for (char each : text.substr(colon + 1)) {
    if (each < '0' || each > '9' || port > 65'535) return false;
    port = port * 10 + static_cast<unsigned long>(each - '0');
  }
  return text[colon + 1] != '0' && port <= 65'535;
}

// What claims must say of the GPUs.
Hash32 gpus_of(const std::vector<EvidenceItem>& evidence) {
  if (evidence.empty() || evidence.back().format != 4) return {};
  return crypto::sha256(evidence.back().bytes);
}

bool platform_or_program_fails(Code code) {
  static const std::set<Code> kCodes = {Code::evidence_revoked,
                                        Code::evidence_no_tcb_level,
                                        Code::evidence_debug_enabled,
                                        Code::evidence_policy_denied,
                                        Code::evidence_service_td,
                                        Code::evidence_tcb_status,
                                        Code::evidence_identity_mismatch,
                                        Code::evidence_measurement_mismatch,
                                        Code::policy_tcb_status,
                                        Code::policy_tcb_evaluation,
                                        Code::policy_advisory,
                                        Code::policy_product,
                                        Code::policy_measurement,
                                        Code::policy_development,
                                        Code::policy_platform,
                                        Code::policy_paused};
  return kCodes.contains(code);
}

}  // namespace

// --- the envelope -------------------------------------------------------------------------------

// The fee and the nonce stay taken whatever the rule says.
PlainLedger::Result PlainLedger::run(Bytes bytes) {
  const auto envelope = SignedTx::decode(bytes);
  const auto tx = envelope ? Tx::decode(envelope->tx) : std::nullopt;
  const Result paid = tried([&] { return tx ? pay(*tx) : Outcome(Code::malformed); });
  return paid.code == Code::ok ? tried([&] { return act(*tx); }) : paid;
}

PlainLedger::Outcome PlainLedger::pay(const Tx& tx) {
  if (tx.chain_id != genesis_.chain_id) return Code::wrong_chain;
  Account& account = w_.accounts[tx.account];
  if (tx.nonce != account.nonce) return Code::wrong_nonce;
  if (tx.fee_micro < params_.min_fee_micro) return Code::fee_too_low;
  if (tx.fee_micro > account.balance_micro) return Code::insufficient_balance;
  account.nonce += 1;
  account.balance_micro -= tx.fee_micro;
  credit(treasury_account(), tx.fee_micro);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::act(const Tx& tx) {
  const auto with = [&]<typename Body>(Body*) -> Outcome {
    const auto body = Body::decode(tx.body);
    return body ? on(tx, *body) : Outcome(Code::malformed_body);
  };
  Outcome out = Code::malformed;
  const auto try_kinds = [&]<typename... Bodies>() {
    ((tx.kind == Bodies::kKind ? void(out = with(static_cast<Bodies*>(nullptr))) : void()), ...);
  };
  try_kinds
      .operator()<Transfer, OperatorBond, OperatorUnbond, OperatorWithdraw, PutCollateral,
                  RegisterInstance, RenewInstance, RotateKeys, DrainInstance, RetireInstance,
                  RevokeInstance, RegisterModel, UpdateModel, DeprecateModel, OpenSession,
                  ConfirmAttestation, ReportAttestation, Settle, CloseSession, SubmitJob, PostInput,
                  PostResult, CommitReceipts, OpenReceipt, CommitVerdict, RevealVerdict, Appeal,
                  Propose, Vote, ReleaseApprove, PauseFormat, JoinValidators, LeaveValidators>();
  return out;
}

bool PlainLedger::speaks(const Tx& tx, const InstanceId& id) const {
  const Instance& instance = w_.instances.at(id);
  return tx.account == instance.operator_account || tx.account == instance.identity_key;
}

// --- money --------------------------------------------------------------------------------------

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const Transfer& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!debit(tx.account, body.amount_micro)) return Code::insufficient_balance;
  credit(body.to, body.amount_micro);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const OperatorBond& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!debit(tx.account, body.amount_micro)) return Code::insufficient_balance;
  const auto [op, fresh] = w_.operators.try_emplace(tx.account);
  if (fresh) op->second.reputation = params_.reputation_start;
  op->second.stake_micro += body.amount_micro;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const OperatorUnbond& body) {
  Operator* op = at(w_.operators, tx.account);
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!op) return Code::not_operator;
  if (op->stake_micro < body.amount_micro) return Code::stake_insufficient;
  op->stake_micro -= body.amount_micro;
  if (live_of(tx.account) > 0 && op->stake_micro < params_.min_stake_micro) {
    return Code::stake_in_use;
  }
  if (validator_of(tx.account) && op->stake_micro < params_.validator_stake_micro) {
    return Code::stake_in_use;
  }
  if (op->unbonding.size() == kMaxUnbonding) return Code::unbonding_full;
  op->unbonding.push_back({{}, body.amount_micro, height_ + params_.unbond_blocks});
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const OperatorWithdraw&) {
  Operator* op = at(w_.operators, tx.account);
  if (!op) return Code::not_operator;
  uint64_t free = 0;
  std::vector<Unbonding> rest;
  for (const Unbonding& part : op->unbonding) {
    if (part.release_height <= height_) {
      free += part.amount_micro;
    } else {
      rest.push_back(part);
    }
  }
  op->unbonding = rest;
  if (rest.empty() && op->stake_micro == 0 && live_of(tx.account) == 0) {
    free += std::exchange(op->check_reserve_micro, 0);
  }
  if (free == 0) return Code::nothing_to_withdraw;
  credit(tx.account, free);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx&, const PutCollateral& body) {
  if (body.files.empty()) return Code::collateral_malformed;
  auto record =
      verifier_->verify_collateral(body.files, genesis_, static_cast<UnixSeconds>(time_ms_ / 1000));
  if (!record) return record.error();
  record->files = body.files;
  const Buffer key = collateral_key(record->kind, record->id);
  if (const CollateralRecord* held = at(w_.collateral, key)) {
    const bool older = record->number < held->number || record->issued_at < held->issued_at;
    if (older) return Code::collateral_rollback;
    const bool changes = verifier_->changes_standing(*held, *record);
    const bool of_one_date = record->number == held->number && record->issued_at == held->issued_at;
    if (changes && of_one_date) return Code::collateral_rollback;
    w_.vendors_changed |= changes;
  }
  w_.collateral[key] = *record;
  return Code::ok;
}

// --- instances ----------------------------------------------------------------------------------

std::optional<Code> PlainLedger::offers_refused(const std::vector<Offer>& offers,
                                                const Claims& claims, bool registering) const {
  if (offers.empty()) return Code::models_invalid;
  const Offer* last = nullptr;
  for (const Offer& offer : offers) {
    if (last && !(last->model_root < offer.model_root)) return Code::models_invalid;
    const auto& loaded = claims.models;
    if (std::find(loaded.begin(), loaded.end(), offer.model_root) == loaded.end()) {
      return Code::models_invalid;
    }
    const Model* model = at(w_.models, offer.model_root);
    if (!model) return Code::model_unknown;
    if (registering && model->deprecated) return Code::model_deprecated;
    last = &offer;
  }
  return std::nullopt;
}

std::optional<Code> PlainLedger::evidence_refused(std::span<const EvidenceItem> evidence,
                                                  uint64_t block, const Hash32& hash) const {
  size_t bytes = 0;
  for (const EvidenceItem& item : evidence) bytes += item.bytes.size();
  if (evidence.empty()) return Code::evidence_absent;
  if (bytes > kMaxEvidenceItemBytes) return Code::evidence_too_large;
  const BlockRef* named = at(blocks_, block);
  if (!named || named->hash != hash) return Code::block_unknown;
  if (height_ > block + params_.evidence_max_age_blocks) return Code::block_too_old;
  return std::nullopt;
}

CollateralLookup PlainLedger::collateral() const {
  return [this](CollateralKind kind, const Hash32& id) -> std::optional<CollateralRecord> {
    const CollateralRecord* held = at(w_.collateral, collateral_key(kind, id));
    return held ? std::optional(*held) : std::nullopt;
  };
}

std::expected<Admitted, Code> PlainLedger::verify(const NetworkPolicy& rules,
                                                  std::span<const EvidenceItem> evidence,
                                                  const Instance& instance) const {
  return verifier_->admit({evidence, instance.binding, instance.gpu_nonce, collateral(), genesis_,
                           rules, height_, static_cast<UnixSeconds>(time_ms_ / 1000)});
}

void PlainLedger::verified(Instance& instance) {
  if (instance.state != InstanceState::active || instance.active_since == 0) {
    instance.active_since = height_;
  }
  instance.state = InstanceState::active;
  instance.policy_version = policy().version;
  instance.verified_height = height_;
  instance.expires_height = height_ + params_.instance_lifetime_blocks;
  instance.development = false;
  for (const Platform& p : instance.platforms) instance.development |= p.development;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RegisterInstance& body) {
  const Registration& r = body.registration;
  const Operator* op = at(w_.operators, tx.account);
  if (!op || op->stake_micro < params_.min_stake_micro) return Code::stake_too_low;
  if (live_of(tx.account) >= kMaxInstancesPerOperator) return Code::too_many_instances;
  const auto claims = Claims::decode(r.claims);
  if (!claims) return Code::claims_malformed;
  if (claims->role != Claims::kServer || claims->instance_id != instance_id_of(r.identity_key) ||
      claims->gpu_evidence_sha256 != gpus_of(r.evidence)) {
    return Code::claims_mismatch;
  }
  if (const auto code = offers_refused(r.offers, *claims, true)) return *code;
  if (r.capacity == 0 || r.capacity > kMaxCapacity) return Code::capacity_invalid;
  if (!is_endpoint(r.endpoint)) return Code::endpoint_invalid;
  if (const auto code = evidence_refused(r.evidence, r.block_height, r.block_hash)) return *code;
  const InstanceId id = claims->instance_id;
  Instance next;
  if (const Instance* before = at(w_.instances, id)) {
    const bool ended =
        before->state == InstanceState::retired || before->state == InstanceState::expired;
    if (!ended || before->operator_account != tx.account) return Code::instance_exists;
    next.key_epoch = before->key_epoch;
  }
  next.id = id;
  next.operator_account = tx.account;
  next.identity_key = r.identity_key;
  next.spki_sha256 = claims->spki_sha256;
  next.key_config_sha256 = claims->key_config_sha256;
  next.claims = r.claims;
  next.binding =
      registration_binding(genesis_.chain_id, tx.account, r.block_hash, r.block_height, *claims);
  if (gpus_of(r.evidence) != Hash32{}) {
    next.gpu_nonce = registration_gpu_nonce(genesis_.chain_id, tx.account, r.block_hash,
                                            r.block_height, *claims);
  }
  next.evidence_sha256 = evidence_hash(r.evidence);
  next.endpoint = r.endpoint;
  next.offers = r.offers;
  next.capacity = r.capacity;
  next.registered_height = height_;
  auto admitted = verify(policy(), r.evidence, next);
  if (!admitted) return admitted.error();
  next.platforms = std::move(admitted->platforms);
  for (const Platform& platform : next.platforms) {
    const InstanceId* holder = at(w_.platforms, platform.id_hash);
    if (holder && *holder != id && is_live(*holder)) {
      if (w_.instances.at(*holder).operator_account != tx.account) return Code::platform_in_use;
      end_instance(*holder, InstanceState::retired);
    }
    w_.platforms[platform.id_hash] = id;
  }
  verified(next);
  w_.instances[id] = next;
  w_.standings[id].items = std::move(admitted->standings);
  data_ = id_key(id);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RenewInstance& body) {
  const Renewal& r = body.renewal;
  Instance* instance = at(w_.instances, r.instance);
  if (!instance) return Code::instance_unknown;
  if (!speaks(tx, r.instance)) return Code::not_of_instance;
  if (!is_live(r.instance)) return Code::instance_not_live;
  const auto claims = Claims::decode(r.claims);
  if (!claims) return Code::claims_malformed;
  if (claims->role != Claims::kServer || claims->instance_id != r.instance ||
      claims->spki_sha256 != instance->spki_sha256 ||
      claims->gpu_evidence_sha256 != gpus_of(r.evidence)) {
    return Code::claims_mismatch;
  }
  if (const auto code = offers_refused(instance->offers, *claims, false)) return *code;
  if (const auto code = evidence_refused(r.evidence, r.block_height, r.block_hash)) return *code;
  const AccountId& op = instance->operator_account;
  Instance next = *instance;
  next.binding = registration_binding(genesis_.chain_id, op, r.block_hash, r.block_height, *claims);
  next.gpu_nonce = std::nullopt;
  if (gpus_of(r.evidence) != Hash32{}) {
    next.gpu_nonce =
        registration_gpu_nonce(genesis_.chain_id, op, r.block_hash, r.block_height, *claims);
  }
  const auto admitted = verify(policy(), r.evidence, next);
  Code failed = admitted ? Code::ok : admitted.error();
  if (admitted) {
    const auto same = [](const Platform& a, const Platform& b) {
      return a.format == b.format && a.id_hash == b.id_hash;
    };
    const auto& old = instance->platforms;
    const auto& now = admitted->platforms;
    if (!std::equal(old.begin(), old.end(), now.begin(), now.end(), same)) {
      failed = Code::platform_changed;
    }
  }
  if (failed != Code::ok) {
    suspend(r.instance);
    return {failed, true};
  }
  instance->claims = r.claims;
  instance->key_config_sha256 = claims->key_config_sha256;
  instance->binding = next.binding;
  instance->gpu_nonce = next.gpu_nonce;
  instance->evidence_sha256 = evidence_hash(r.evidence);
  instance->platforms = admitted->platforms;
  w_.standings[r.instance].items = admitted->standings;
  verified(*instance);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RotateKeys& body) {
  const KeyConfig& keys = body.rotation.keys;
  Instance* instance = at(w_.instances, body.rotation.instance);
  if (!instance) return Code::instance_unknown;
  if (!speaks(tx, instance->id)) return Code::not_of_instance;
  if (!is_live(instance->id)) return Code::instance_not_live;
  if (keys.epoch <= instance->key_epoch) return Code::key_epoch_invalid;
  const bool in_time = keys.valid_from_ms < keys.valid_until_ms && time_ms_ < keys.valid_until_ms;
  if (!in_time || keys.valid_until_ms - keys.valid_from_ms > kMaxKeyLifeMs) {
    return Code::key_validity_invalid;
  }
  auto& epochs = w_.keys[instance->id].epochs;
  epochs.push_back(keys);
  while (epochs.size() > kKeyEpochs) epochs.erase(epochs.begin());
  instance->key_epoch = keys.epoch;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const DrainInstance& body) {
  Instance* instance = at(w_.instances, body.instance);
  if (!instance) return Code::instance_unknown;
  if (!speaks(tx, body.instance)) return Code::not_of_instance;
  if (!is_live(body.instance)) return Code::instance_not_live;
  if (std::exchange(instance->draining, true)) return Code::instance_draining;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RetireInstance& body) {
  if (!w_.instances.contains(body.instance)) return Code::instance_unknown;
  if (!speaks(tx, body.instance)) return Code::not_of_instance;
  if (!is_live(body.instance)) return Code::instance_not_live;
  end_instance(body.instance, InstanceState::retired);
  return Code::ok;
}

// --- guilt --------------------------------------------------------------------------------------

void PlainLedger::revoke(const InstanceId& id, const AccountId& accuser, uint32_t permille) {
  const AccountId op = w_.instances.at(id).operator_account;
  slash(op, accuser, permille, params_.fault_slash_micro);
  reputation(op, -int64_t{params_.reputation_fault_loss});
  end_instance(id, InstanceState::revoked);
}

PlainLedger::Outcome PlainLedger::judge(const AccountId& accuser, uint32_t permille,
                                        std::span<const EvidenceItem> evidence,
                                        const InstanceId& id) {
  const Instance& instance = w_.instances.at(id);
  if (evidence_hash(evidence) != instance.evidence_sha256) {
    return Code::not_the_registration_evidence;
  }
  if (!is_live(id)) return Code::instance_not_live;
  const auto now = verify(policy(), evidence, instance);
  if (now) {
    if (!debit(accuser, params_.report_fee_micro)) return Code::insufficient_balance;
    credit(treasury_account(), params_.report_fee_micro);
  } else if (now.error() == Code::evidence_revoked) {
    // The scripted vendor revokes nothing but machines' own keys.
    revoke(id, accuser, permille);
  } else if (instance.state == InstanceState::active && platform_or_program_fails(now.error())) {
    suspend(id);
  } else {
    return Code::collateral_cannot_judge;
  }
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RevokeInstance& body) {
  const Instance* instance = at(w_.instances, body.instance);
  if (!instance) return Code::instance_unknown;
  if (!body.evidence.empty()) {
    if (!body.receipts.empty()) return Code::proof_invalid;
    return judge(tx.account, params_.slash_finder_permille, body.evidence, body.instance);
  }
  if (instance->state == InstanceState::revoked) return Code::instance_not_live;
  if (body.receipts.size() != 2) return Code::proof_invalid;
  std::vector<Receipt> receipts;
  for (const Buffer& bytes : body.receipts) {
    const auto one = SignedReceipt::decode(bytes);
    if (!one || one->receipt.chain_id != genesis_.chain_id ||
        one->receipt.instance_id != body.instance) {
      return Code::proof_invalid;
    }
    receipts.push_back(one->receipt);
  }
  if (receipts[0].session != receipts[1].session || receipts[0].sequence != receipts[1].sequence) {
    return Code::proof_invalid;
  }
  if (receipts[0] == receipts[1]) return Code::receipts_agree;
  revoke(body.instance, tx.account, params_.slash_finder_permille);
  return Code::ok;
}

// --- models -------------------------------------------------------------------------------------

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RegisterModel& body) {
  if (body.model.owner != tx.account) return Code::not_model_owner;
  if (body.model.deprecated || !valid(body.model, params_)) return Code::model_invalid;
  for (const auto& [root, model] : w_.models) {
    if (root == body.model.root) return Code::model_exists;
  }
  for (const auto& [root, model] : w_.models) {
    if (model.name == body.model.name) return Code::model_name_taken;
  }
  if (!debit(tx.account, params_.model_fee_micro)) return Code::insufficient_balance;
  credit(treasury_account(), params_.model_fee_micro);
  w_.models[body.model.root] = body.model;
  data_ = id_key(body.model.root);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const UpdateModel& body) {
  Model* model = at(w_.models, body.root);
  if (!model) return Code::model_unknown;
  if (model->owner != tx.account) return Code::not_model_owner;
  model->owner = body.owner;
  model->owner_permille = body.owner_permille;
  model->licence = body.licence;
  model->key_policy_sha256 = body.key_policy_sha256;
  return valid(*model, params_) ? Code::ok : Code::model_invalid;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const DeprecateModel& body) {
  Model* model = at(w_.models, body.root);
  if (!model) return Code::model_unknown;
  if (model->owner != tx.account) return Code::not_model_owner;
  if (std::exchange(model->deprecated, true)) return Code::model_deprecated;
  return Code::ok;
}

}  // namespace cloister::ledger
