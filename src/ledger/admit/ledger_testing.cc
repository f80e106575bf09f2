#include "ledger/admit/ledger_testing.h"

#include <algorithm>

#include "evidence/common/evidence.h"
#include "evidence/rim/scenario_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/keys.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

using evidence::Format;

void must(bool held) {
  if (!held) std::abort();  // the test's own set-up failed
}

Release release(Format format) {
  Release out;
  out.name = "node";
  out.format = static_cast<uint8_t>(format);
  out.measurement = Buffer(48, kImage);
  return out;
}

Claims claims_of(const std::string& identity) {
  Claims out;
  out.instance_id = instance_id_of(key_of(identity).public_key());
  out.spki_sha256 = hash_of(identity + " spki");
  out.key_config_sha256 = hash_of(identity + " keys");
  out.models = {hash_of("model")};
  return out;
}

EvidenceItem item(Format format, Buffer bytes) {
  EvidenceItem out;
  out.format = static_cast<uint8_t>(format);
  out.bytes = std::move(bytes);
  return out;
}

std::vector<EvidenceItem> evidence_of(const Candidate& candidate, const Fixed<64>& binding) {
  std::vector<EvidenceItem> out;
  if (candidate.tdx) {
    evidence::sim::TdxParameters td;
    td.mrtd.fill(candidate.image);
    td.platform = candidate.machine;
    if (candidate.debug) td.td_attributes |= 1;
    out.push_back(item(Format::tdx_quote, intel().quote(td, binding)));
  }
  if (candidate.snp) {
    evidence::sim::SnpParameters guest;
    guest.measurement.fill(candidate.image);
    guest.chip = candidate.machine;
    if (candidate.debug) guest.policy |= uint64_t{1} << 19;
    out.push_back(item(Format::snp_report, amd().report(guest, binding)));
  }
  return out;
}

}  // namespace

const evidence::sim::IntelSimulator& intel() {
  static const auto made = evidence::sim::IntelSimulator::create(kStart);
  return made;
}

const evidence::sim::AmdSimulator& amd() {
  static const auto made =
      evidence::sim::AmdSimulator::create(evidence::sim::AmdProduct::milan, kStart);
  return made;
}

FileGroups intel_collateral(UnixSeconds now) {
  const auto files = intel().collateral(now);
  const Buffer& signing = files.at("tcb_signing_chain.pem");
  const Buffer pck_chain = to_buffer(as_bytes(intel().pck_chain(0)));
  return {{files.at("tcb_info.json"), signing},
          {files.at("qe_identity.json"), signing},
          {files.at("root_ca.crl"), signing},
          {files.at("pck_platform_ca.crl"), pck_chain}};
}

std::vector<Buffer> revocation_of(const std::vector<uint32_t>& machines, UnixSeconds now) {
  const auto& ca = intel().platform_ca_for_testing();
  std::vector<Buffer> serials;
  for (const uint32_t machine : machines) {
    serials.push_back(intel().pck_for_testing(machine).certificate.serial());
  }
  const auto list = crypto::issue_crl(ca.certificate, ca.key, now, now + 86'400, 2, serials);
  return {list.der(), to_buffer(as_bytes(intel().pck_chain(0)))};
}

FileGroups amd_collateral(uint32_t chip, UnixSeconds now) {
  const auto files = amd().collateral(chip, now);
  const Buffer& chain = files.at("amd_chain.pem");
  return {{files.at("vcek.der"), chain}, {files.at("amd.crl"), chain}};
}

Genesis TestLedger::genesis() {
  Genesis out = sample_network(1).genesis;
  out.development_intel = {intel().root_spki()};
  out.development_amd = {amd().ark_spki()};
  out.development_nvidia = {evidence::rim::hierarchy().root.certificate.spki_sha256()};
  out.policy.releases = {release(Format::tdx_quote), release(Format::snp_report)};
  Release gpus;
  gpus.name = "GPUs";
  gpus.format = kNvidiaGpuFormat;
  gpus.min_driver = "550";
  out.policy.releases.push_back(std::move(gpus));
  for (const char* who : {"operator", "rival"}) {
    GenesisAccount account;
    account.account = key_of(who).public_key();
    account.balance_micro = 1'000'000'000;
    out.accounts.push_back(account);
  }
  std::ranges::sort(out.accounts, {}, &GenesisAccount::account);
  return out;
}

TestLedger::TestLedger(const Genesis& genesis)
    : state(*State::from_genesis(genesis, make_verifier())) {
  block();
}

const crypto::Ed25519Key& TestLedger::key(const std::string& who) {
  return key_of(who);
}

BlockResult TestLedger::block(const std::vector<Buffer>& txs) {
  BlockInput input;
  input.height = state.height() + 1;
  input.time_ms = ++now_ * 1000;
  input.hash = last_hash_ = hash_of("block " + std::to_string(input.height));
  input.txs = txs;
  return state.apply(input);
}

uint64_t TestLedger::nonce_of(const std::string& who) const {
  const auto value = state.store().get(Family::accounts, key_of(who).public_key());
  return value ? Account::decode(*value)->nonce : 0;
}

void TestLedger::bond(const std::string& op) {
  OperatorBond body;
  body.amount_micro = state.genesis().params.min_stake_micro;
  must(send(op, body) == Code::ok);
}

Code TestLedger::put(const std::vector<Buffer>& files) {
  PutCollateral body;
  body.files = files;
  return send("operator", body);
}

void TestLedger::put_all(const FileGroups& groups) {
  for (const auto& files : groups) must(put(files) == Code::ok);
}

RegisterInstance TestLedger::registration(const Candidate& candidate) const {
  return registration_for(state.genesis(), candidate, state.height(), last_hash_);
}

RegisterInstance registration_for(const Genesis& genesis, const Candidate& candidate,
                                  uint64_t height, const Hash32& at_block) {
  const std::string& chain_id = genesis.chain_id;
  const AccountId op = key_of(candidate.op).public_key();
  Claims claims = claims_of(candidate.identity);
  Registration r;
  r.identity_key = key_of(candidate.identity).public_key();
  r.block_height = height;
  r.block_hash = at_block;
  r.endpoint = "node.example:8443";
  Offer offer;
  offer.model_root = hash_of("model");
  offer.price_micro = 250'000;
  r.offers = {offer};
  r.capacity = 4;
  std::vector<EvidenceItem> gpus;
  if (candidate.gpus) {
    const Hash32 nonce = registration_gpu_nonce(chain_id, op, r.block_hash, r.block_height, claims);
    gpus = {item(Format::nvidia_gpu, candidate.gpus(nonce))};
    if (candidate.gpus_claimed) claims.gpu_evidence_sha256 = gpu_evidence_digest(gpus);
  }
  r.claims = claims.encode();
  const auto bound = candidate.bound_to.empty() ? claims : claims_of(candidate.bound_to);
  const Hash32 block_hash = candidate.other_block ? hash_of("another block") : r.block_hash;
  r.evidence =
      evidence_of(candidate, registration_binding(chain_id, op, block_hash, r.block_height, bound));
  const size_t place = std::min(candidate.gpus_at, r.evidence.size());
  r.evidence.insert(r.evidence.begin() + static_cast<ptrdiff_t>(place), gpus.begin(), gpus.end());
  return sign_registration(r, chain_id, op, key_of(candidate.identity));
}

Code TestLedger::enter(const Candidate& candidate) {
  return send(candidate.op, registration(candidate));
}

std::optional<Instance> TestLedger::instance(const std::string& identity) const {
  const auto id = instance_id_of(key_of(identity).public_key());
  const auto value = state.store().get(Family::instances, id);
  return value ? Instance::decode(*value) : std::nullopt;
}

}  // namespace cloister::ledger
