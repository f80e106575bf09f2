#include "ledger/state/network_testing.h"

#include <algorithm>
#include <utility>

#include "ledger/types/keys.h"

namespace cloister::ledger {
namespace {

void must(bool held) {
  if (!held) std::abort();  // the test's own set-up failed
}

EvidenceItem scripted_evidence(const Fixed<64>& report_data, uint8_t platform) {
  EvidenceItem item;
  item.format = platform < kOtherVendor ? 1 : 3;
  item.bytes = ByteWriter().bytes(report_data).u8(platform).take();
  return item;
}

EvidenceItem scripted_gpus(const Hash32& nonce, uint8_t platform) {
  EvidenceItem item;
  item.format = kNvidiaGpuFormat;
  item.bytes = ByteWriter().bytes(nonce).u8(platform).take();
  return item;
}

bool has_gpus(uint8_t platform) {
  return (platform & kWithGpu) != 0;
}

// Claims and evidence that name each other and the block.
std::pair<Claims, std::vector<EvidenceItem>> bound_to(const std::string& chain_id,
                                                      const AccountId& op, uint64_t height,
                                                      const Hash32& block, Claims claims,
                                                      uint8_t platform) {
  std::vector<EvidenceItem> evidence;
  if (has_gpus(platform)) {
    evidence = {
        scripted_gpus(registration_gpu_nonce(chain_id, op, block, height, claims), platform)};
    claims.gpu_evidence_sha256 = gpu_evidence_digest(evidence);
  }
  const auto binding = registration_binding(chain_id, op, block, height, claims);
  evidence.insert(evidence.begin(), scripted_evidence(binding, platform));
  return {std::move(claims), std::move(evidence)};
}

// Made once: dealing takes longer than many blocks.
std::shared_ptr<const SampleNetwork> sample_of(size_t validators) {
  static std::map<size_t, std::shared_ptr<const SampleNetwork>> known;
  auto& sample = known[validators];
  if (!sample) sample = std::make_shared<const SampleNetwork>(sample_network(validators));
  return sample;
}

Claims claims_for(const std::string& identity) {
  Claims claims;
  claims.instance_id = instance_id_of(key_of(identity).public_key());
  claims.spki_sha256 = hash_of(identity + " spki");
  claims.key_config_sha256 = hash_of(identity + " keys");
  claims.models = {hash_of("model")};
  return claims;
}

constexpr uint8_t kUpToDate = 1, kHardeningNeeded = 2, kOutOfDate = 5;

// What the vendor says of a machine, if anything.
Code scripted_level(const CollateralLookup& collateral, uint8_t machine, Platform& out) {
  const auto record =
      collateral(CollateralKind::tdx_tcb_info, Hash32{static_cast<uint8_t>(machine % 4)});
  if (!record) return Code::ok;
  const uint64_t digit = record->number % 10;
  if (digit == 9) return Code::evidence_no_tcb_level;
  out.tcb_status = digit == 8 ? kOutOfDate : digit == 7 ? kHardeningNeeded : kUpToDate;
  out.tcb_evaluation_number = record->number;
  return Code::ok;
}

Code admit_gpus(const EvidenceItem& item, const AdmissionInput& input, Admitted& out) {
  ByteReader reader(item.bytes);
  const auto nonce = reader.fixed<32>();
  const auto platform = reader.u8();
  if (!nonce || !platform || !reader.done()) return Code::evidence_malformed;
  if (nonce != input.gpu_nonce) return Code::evidence_nonce_mismatch;
  for (uint8_t gpu = 0; gpu < 2; ++gpu) {
    Platform admitted;
    admitted.format = item.format;
    admitted.product = "GH100";
    admitted.id_hash =
        platform_id_hash(input.genesis.chain_id, item.format, Buffer{*platform, gpu});
    admitted.tcb_status = kUpToDate;
    admitted.development = true;
    out.platforms.push_back(std::move(admitted));
    out.standings.emplace_back();
  }
  return Code::ok;
}

}  // namespace

std::expected<Admitted, Code> ScriptedVerifier::admit(const AdmissionInput& input) const {
  Admitted out;
  for (const EvidenceItem& item : input.evidence) {
    if (item.format == kNvidiaGpuFormat) {
      const Code code = admit_gpus(item, input, out);
      if (code != Code::ok) return std::unexpected(code);
      continue;
    }
    ByteReader reader(item.bytes);
    const auto report_data = reader.fixed<64>();
    const auto platform = reader.u8();
    if (!report_data || !platform || !reader.done()) {
      return std::unexpected(Code::evidence_malformed);
    }
    if (const auto found = refused.find(*platform); found != refused.end()) {
      return std::unexpected(found->second);
    }
    if (*report_data != input.report_data) {
      return std::unexpected(Code::evidence_report_data_mismatch);
    }
    if (input.policy.version >= strict_from_version) {
      return std::unexpected(Code::policy_tcb_status);
    }
    Platform admitted;
    admitted.format = item.format;
    admitted.product = "TDX";
    admitted.id_hash = platform_id_hash(input.genesis.chain_id, item.format, Buffer{*platform});
    admitted.tcb_status = kUpToDate;
    const Code level = scripted_level(input.collateral, *platform, admitted);
    if (level != Code::ok) return std::unexpected(level);
    if (admitted.tcb_status == kOutOfDate) return std::unexpected(Code::evidence_tcb_status);
    const auto status = statuses.find(*platform);
    if (status != statuses.end()) admitted.tcb_status = status->second;
    admitted.development = true;
    out.platforms.push_back(std::move(admitted));
    out.standings.push_back({*platform});
  }
  return out;
}

Code ScriptedVerifier::reassess(const Platform& platform, const NetworkPolicy& policy,
                                uint64_t height) const {
  const auto contains = [](const auto& list, const auto& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (contains(policy.paused_formats, platform.format)) return Code::policy_paused;
  if (contains(policy.denied_platforms, platform.id_hash)) return Code::policy_platform;
  if (!contains(policy.accepted_statuses, platform.tcb_status)) return Code::policy_tcb_status;
  const bool released =
      std::any_of(policy.releases.begin(), policy.releases.end(), [&](const Release& r) {
        return r.valid_from_height <= height && height <= r.valid_until_height;
      });
  return released ? Code::ok : Code::policy_measurement;
}

std::expected<CollateralRecord, Code> ScriptedVerifier::verify_collateral(
    std::span<const Buffer> files, const Genesis&, UnixSeconds now) const {
  if (files.size() > 1) return std::unexpected(Code::collateral_unverified);
  ByteReader reader(files[0]);
  const auto kind = reader.u8(), id = reader.u8();
  const auto number = reader.u64_be(), issued = reader.u64_be(), next = reader.u64_be();
  if (!kind || !id || !number || !issued || !next || !reader.done()) {
    return std::unexpected(Code::collateral_malformed);
  }
  if (static_cast<uint64_t>(now) >= *next) return std::unexpected(Code::collateral_not_current);
  CollateralRecord out;
  out.kind = static_cast<CollateralKind>(*kind);
  out.id = Hash32{*id};
  out.number = *number;
  out.issued_at = *issued;
  out.next_update = *next;
  return out;
}

bool ScriptedVerifier::changes_standing(const CollateralRecord& earlier,
                                        const CollateralRecord& later) const {
  return earlier.number != later.number;
}

StandingJudge ScriptedVerifier::standing_judge(CollateralLookup collateral) const {
  ++reviews;
  return [collateral, refused = refused](Platform& platform, Bytes standing) {
    if (standing.empty()) return StandingVerdict{};
    const auto why = refused.find(standing[0]);
    if (why != refused.end()) {
      return StandingVerdict{why->second, why->second == Code::evidence_revoked};
    }
    return StandingVerdict{scripted_level(collateral, standing[0], platform), false};
  };
}

TestNetwork::TestNetwork(const Genesis& genesis) : state(*State::from_genesis(genesis, verifier)) {
  sample_ = sample_of(genesis.validators.size());
  for (size_t i = 0; i < genesis.validators.size(); ++i) {
    must(sample_->keys[i].public_key() == genesis.validators[i].public_key);
  }
}

Genesis TestNetwork::funded(const std::vector<std::string>& names, uint64_t balance_micro) {
  Genesis genesis = sample_of(1)->genesis;
  for (const std::string& name : names) {
    GenesisAccount entry;
    entry.account = key_of(name).public_key();
    entry.balance_micro = balance_micro;
    genesis.accounts.push_back(entry);
  }
  std::sort(genesis.accounts.begin(), genesis.accounts.end(),
            [](const auto& a, const auto& b) { return a.account < b.account; });
  return genesis;
}

Hash32 TestNetwork::hash_at(uint64_t height) const {
  return hash_of("block " + std::to_string(height));
}

namespace {
const std::vector<BeaconSecret> kNobody;
}

BlockResult TestNetwork::block(std::vector<Buffer> txs, bool with_beacon) {
  const uint64_t height = state.height() + 1;
  const Genesis& g = state.genesis();
  std::vector<BeaconShares> offered;
  for (const BeaconSecret& secret : with_beacon ? sample_->secrets : kNobody) {
    offered.push_back(state.shares_of(height, secret));
  }
  if (const auto front = state.front(height, offered)) txs.insert(txs.begin(), *front);
  const std::vector<Misbehavior> faults = std::exchange(misbehavior, {});
  BlockInput input;
  input.height = height;
  input.time_ms = static_cast<UnixMillis>(g.time_ms + height * 1000);
  input.hash = last_hash = hash_at(height);
  input.txs = txs;
  input.misbehavior = faults;
  BlockResult result = state.apply(input);
  if (watch) watch(*this, input, result);
  return result;
}

Account TestNetwork::account(const std::string& who) const {
  const auto value = state.store().get(Family::accounts, key_of(who).public_key());
  return value ? *Account::decode(*value) : Account();
}

Operator TestNetwork::op(const std::string& who) const {
  return *Operator::decode(*state.store().get(Family::operators, key_of(who).public_key()));
}

Instance TestNetwork::instance(const InstanceId& id) const {
  return *Instance::decode(*state.store().get(Family::instances, id));
}

Session TestNetwork::session(const SessionId& id) const {
  return *Session::decode(*state.store().get(Family::sessions, id));
}

InstanceId TestNetwork::id_of(const std::string& identity) {
  return instance_id_of(key_of(identity).public_key());
}

Registration TestNetwork::registration(const std::string& op, const std::string& identity,
                                       uint8_t platform) const {
  Registration r;
  r.identity_key = key_of(identity).public_key();
  r.block_height = state.height();
  r.block_hash = hash_at(r.block_height);
  auto bound = bound_to(state.genesis().chain_id, key_of(op).public_key(), r.block_height,
                        r.block_hash, claims_for(identity), platform);
  r.claims = bound.first.encode();
  r.evidence = std::move(bound.second);
  r.endpoint = "127.0.0.1:8443";
  Offer offer;
  offer.model_root = hash_of("model");
  offer.price_micro = 250'000;
  r.offers = {offer};
  r.capacity = 4;
  return r;
}

RegisterInstance TestNetwork::register_body(const std::string& op, const std::string& identity,
                                            uint8_t platform) const {
  return sign_registration(registration(op, identity, platform), state.genesis().chain_id,
                           key_of(op).public_key(), key_of(identity));
}

RenewInstance TestNetwork::renew_body(const std::string& identity, uint8_t platform) const {
  Renewal r;
  r.instance = id_of(identity);
  r.block_height = state.height();
  r.block_hash = hash_at(r.block_height);
  auto bound = bound_to(state.genesis().chain_id, instance(r.instance).operator_account,
                        r.block_height, r.block_hash, claims_for(identity), platform);
  r.claims = bound.first.encode();
  r.evidence = std::move(bound.second);
  return sign_renewal(r, state.genesis().chain_id, key_of(identity));
}

RotateKeys TestNetwork::rotate_body(const std::string& identity, uint64_t epoch) const {
  KeyRotation rotation;
  rotation.instance = id_of(identity);
  rotation.keys.epoch = epoch;
  rotation.keys.valid_from_ms = state.genesis().time_ms + state.height() * 1000;
  rotation.keys.valid_until_ms = rotation.keys.valid_from_ms + kMaxKeyLifeMs;
  rotation.keys.config = {static_cast<uint8_t>(epoch)};
  return sign_rotation(rotation, state.genesis().chain_id, key_of(identity));
}

std::vector<EvidenceItem> TestNetwork::evidence_of(const std::string& identity,
                                                   uint8_t platform) const {
  const Instance of = instance(id_of(identity));
  std::vector<EvidenceItem> out = {scripted_evidence(of.binding, platform)};
  if (of.gpu_nonce) out.push_back(scripted_gpus(*of.gpu_nonce, platform));
  return out;
}

RegisterModel TestNetwork::model_body(const std::string& owner, const std::string& name) {
  RegisterModel body;
  body.model.root = hash_of(name);
  body.model.name = name;
  body.model.owner = key_of(owner).public_key();
  body.model.owner_permille = 100;
  return body;
}

OpenSession TestNetwork::open_body(uint64_t max_units, uint64_t price_cap) {
  OpenSession body;
  body.model_root = hash_of("model");
  body.max_units = max_units;
  body.price_cap_micro = price_cap;
  body.deposit_micro = cost_micro(max_units, price_cap).value_or(0);
  body.lifetime_blocks = 100;
  return body;
}

PutCollateral TestNetwork::tcb_info_body(uint8_t id, uint64_t number) const {
  ByteWriter file;
  file.u8(static_cast<uint8_t>(CollateralKind::tdx_tcb_info)).u8(id).u64_be(number);
  file.u64_be(state.height()).u64_be(UINT64_MAX);
  PutCollateral body;
  body.files = {file.take()};
  return body;
}

Settle TestNetwork::settle_body(const SessionId& session_id, const std::string& identity,
                                uint64_t units) const {
  Receipt receipt;
  receipt.chain_id = state.genesis().chain_id;
  receipt.session = session_id;
  receipt.instance_id = id_of(identity);
  receipt.model_root = hash_of("model");
  receipt.cumulative_units = units;
  Settle body;
  body.session = session_id;
  body.receipt = sign_receipt(receipt, key_of(identity)).encode();
  return body;
}

InstanceId TestNetwork::bring_up(const std::string& op_name, const std::string& identity,
                                 uint8_t platform) {
  if (state.height() == 0) block();
  OperatorBond bond;
  bond.amount_micro = state.genesis().params.min_stake_micro;
  must(send(op_name, bond).code == Code::ok);
  must(send(op_name, register_body(op_name, identity, platform)).code == Code::ok);
  return id_of(identity);
}

SessionId TestNetwork::open_assigned(const std::string& user) {
  const TxResult opened = send(user, open_body());
  must(opened.code == Code::ok);
  const SessionId id = *to_fixed<32>(opened.data);
  block();
  block();
  must(session(id).state == SessionState::assigned);
  return id;
}

SessionId TestNetwork::open_confirmed(const std::string& user) {
  const SessionId id = open_assigned(user);
  ConfirmAttestation confirm;
  confirm.session = id;
  confirm.instance = *session(id).instance;
  confirm.policy_version = 1;
  must(send(user, confirm).code == Code::ok);
  return id;
}

RegisterInstance registration_at(const Genesis& genesis, const std::string& op,
                                 const std::string& identity, uint8_t platform, uint64_t height,
                                 const Hash32& block_hash) {
  Registration r = TestNetwork(genesis).registration(op, identity, platform);
  r.block_height = height;
  r.block_hash = block_hash;
  const AccountId account = key_of(op).public_key();
  const auto binding = registration_binding(genesis.chain_id, account, block_hash, height,
                                            *Claims::decode(r.claims));
  std::copy(binding.begin(), binding.end(), r.evidence[0].bytes.begin());
  return sign_registration(r, genesis.chain_id, account, key_of(identity));
}

}  // namespace cloister::ledger
