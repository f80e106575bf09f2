// The numbers of the network, and what it holds to be true of models and policy.
#pragma once

#include "ledger/types/enums.h"
#include "ledger/types/limits.h"
#include "ledger/types/record.h"

namespace cloister::ledger {

using AccountId = Hash32;   // an Ed25519 public key
using InstanceId = Hash32;  // SHA-256 of the identity public key
using SessionId = Hash32;
using ModelRoot = Hash32;

constexpr uint32_t kPermille = 1000;
constexpr uint32_t kMaxReputation = 1000;

// The defaults suit a network of a few validators with blocks of about a second.
struct Params : Record<Params> {
  uint64_t min_fee_micro = 0;
  uint64_t min_stake_micro = 1'000'000;    // an operator's, before it may register
  uint64_t report_fee_micro = 1'000;       // of a report whose evidence turned out good
  uint64_t fault_slash_micro = 500'000;    // of a fault that is proven by evidence or receipts
  uint32_t slash_user_permille = 500;      // of a slash to the wronged user; the rest: treasury
  uint32_t treasury_permille = 50;         // of each settlement
  uint64_t evidence_max_age_blocks = 600;  // from the block that evidence names to its arrival
  uint64_t instance_lifetime_blocks = 86'400;
  uint64_t request_lifetime_blocks = 100;  // then an undrawn request is refunded
  uint64_t confirm_deadline_blocks = 200;  // then an unconfirmed assignment is refunded
  uint64_t max_session_lifetime_blocks = 86'400;
  uint64_t settle_window_blocks = 50;
  uint64_t history_blocks = 10'000;  // how long block hashes and beacons are kept
  uint32_t max_redraws = 3;
  uint32_t reputation_start = 500;
  uint32_t reputation_settled_gain = 1;  // once a session
  uint32_t reputation_miss_loss = 20;
  uint32_t reputation_fault_loss = 500;
  uint64_t unbond_blocks = 1'814'400;    // slashable meanwhile; longer than clients trust a header
  uint64_t model_fee_micro = 100'000;    // of a registration, to the treasury
  uint32_t slash_finder_permille = 100;  // of a slash to whoever proves a fault that wronged nobody
  uint64_t voting_blocks = 86'400;       // then a proposal that has not passed is rejected
  uint64_t timelock_blocks = 86'400;     // from passing to taking effect, unless it only restricts
  uint64_t pause_blocks = 86'400;        // of an emergency pause
  uint32_t quorum_permille = 500;        // of all stake that must agree
  uint64_t proposal_fee_micro = 100'000;
  // Checks. An answer of reference_units pays answer_pay and costs answer_cost to compute; lying
  // must not pay when check_permille of such answers are checked and dishonest_permille of all
  // stake lies.
  uint64_t epoch_blocks = 3'600;
  uint32_t check_permille = 10;
  uint32_t check_size = 3;
  uint64_t reference_units = 500;
  uint64_t answer_cost_micro = 1'000;
  uint64_t answer_pay_micro = 1'200;
  uint32_t dishonest_permille = 500;
  uint64_t open_blocks = 100;
  uint64_t verdict_blocks = 200;
  uint64_t reveal_blocks = 100;
  uint64_t appeal_blocks = 200;
  uint64_t mismatch_slash_micro = 400'000;
  uint64_t unopened_slash_micro = 400'000;  // less than a mismatch would be the better lie
  uint64_t uncommitted_slash_micro = 400'000;
  uint64_t silent_slash_micro = 20'000;
  uint64_t outvoted_slash_micro = 50'000;
  uint64_t appeal_bond_micro = 100'000;
  uint64_t check_pay_micro = 2'000;      // to each checker of the majority
  uint32_t check_reserve_permille = 50;  // of a settlement, until the operator's reserve is full
  uint64_t check_reserve_micro = 100'000;
  uint64_t miss_slash_micro = 50'000;     // of a job without its result
  uint64_t epoch_reward_micro = 100'000;  // for all who were attested throughout; from the treasury
  uint64_t validator_stake_micro = 10'000'000;  // all of it is lost when it signs two blocks

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "min_fee_micro", r.min_fee_micro);
    v(2, "min_stake_micro", r.min_stake_micro);
    v(3, "report_fee_micro", r.report_fee_micro);
    v(4, "fault_slash_micro", r.fault_slash_micro);
    v(5, "slash_user_permille", r.slash_user_permille);
    v(6, "treasury_permille", r.treasury_permille);
    v(7, "evidence_max_age_blocks", r.evidence_max_age_blocks);
    v(8, "instance_lifetime_blocks", r.instance_lifetime_blocks);
    v(9, "request_lifetime_blocks", r.request_lifetime_blocks);
    v(10, "confirm_deadline_blocks", r.confirm_deadline_blocks);
    v(11, "max_session_lifetime_blocks", r.max_session_lifetime_blocks);
    v(12, "settle_window_blocks", r.settle_window_blocks);
    v(13, "history_blocks", r.history_blocks);
    v(14, "max_redraws", r.max_redraws);
    v(15, "reputation_start", r.reputation_start);
    v(16, "reputation_settled_gain", r.reputation_settled_gain);
    v(17, "reputation_miss_loss", r.reputation_miss_loss);
    v(18, "reputation_fault_loss", r.reputation_fault_loss);
    v(19, "unbond_blocks", r.unbond_blocks);
    v(20, "model_fee_micro", r.model_fee_micro);
    v(21, "slash_finder_permille", r.slash_finder_permille);
    v(22, "voting_blocks", r.voting_blocks);
    v(23, "timelock_blocks", r.timelock_blocks);
    v(24, "pause_blocks", r.pause_blocks);
    v(25, "quorum_permille", r.quorum_permille);
    v(26, "proposal_fee_micro", r.proposal_fee_micro);
    v(27, "epoch_blocks", r.epoch_blocks);
    v(28, "check_permille", r.check_permille);
    v(29, "check_size", r.check_size);
    v(30, "reference_units", r.reference_units);
    v(31, "answer_cost_micro", r.answer_cost_micro);
    v(32, "answer_pay_micro", r.answer_pay_micro);
    v(33, "dishonest_permille", r.dishonest_permille);
    v(34, "open_blocks", r.open_blocks);
    v(35, "verdict_blocks", r.verdict_blocks);
    v(36, "reveal_blocks", r.reveal_blocks);
    v(37, "appeal_blocks", r.appeal_blocks);
    v(38, "mismatch_slash_micro", r.mismatch_slash_micro);
    v(39, "unopened_slash_micro", r.unopened_slash_micro);
    v(40, "uncommitted_slash_micro", r.uncommitted_slash_micro);
    v(41, "silent_slash_micro", r.silent_slash_micro);
    v(42, "outvoted_slash_micro", r.outvoted_slash_micro);
    v(43, "appeal_bond_micro", r.appeal_bond_micro);
    v(44, "check_pay_micro", r.check_pay_micro);
    v(45, "check_reserve_permille", r.check_reserve_permille);
    v(46, "check_reserve_micro", r.check_reserve_micro);
    v(47, "miss_slash_micro", r.miss_slash_micro);
    v(48, "epoch_reward_micro", r.epoch_reward_micro);
    v(49, "validator_stake_micro", r.validator_stake_micro);
  }
  bool operator==(const Params&) const = default;
};

// Every deadline at least one block and below kMaxBlocks, shares within 1000, history long enough
// for evidence and draws.
bool valid(const Params& params);
// Whether lying costs more than it saves: p > C / ((1 - r)(R + S)), where p is the share of answers
// that are checked, C the cost of an honest one, R its pay, S the least slash of those that a liar
// can choose from, r the share of dishonest stake (40-ledger, section 5).
bool deterrent(const Params& params);
constexpr uint64_t kMaxBlocks = uint64_t{1} << 40;

struct Model : Record<Model> {
  ModelRoot root{};  // Merkle root over the tensors
  std::string name;  // as users ask for it
  Hash32 tokenizer_digest{};
  Hash32 template_digest{};
  uint64_t size_bytes = 0;
  std::string licence;
  std::string quantization;
  uint32_t context_length = 0;
  std::optional<AccountId> owner;
  uint32_t owner_permille = 0;  // of each settlement; 0 without an owner
  ModelAccess access = ModelAccess::open;
  Hash32 key_policy_sha256{};  // zero unless sealed
  bool deprecated = false;     // no new sessions or registrations

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "root", r.root);
    v(2, "name", r.name, kMaxNameBytes);
    v(3, "tokenizer_digest", r.tokenizer_digest);
    v(4, "template_digest", r.template_digest);
    v(5, "size_bytes", r.size_bytes);
    v(6, "licence", r.licence, kMaxNameBytes);
    v(7, "quantization", r.quantization, kMaxNameBytes);
    v(8, "context_length", r.context_length);
    v(9, "owner", r.owner);
    v(10, "owner_permille", r.owner_permille);
    v(11, "access", r.access);
    v(12, "key_policy_sha256", r.key_policy_sha256);
    v(13, "deprecated", r.deprecated);
  }
  bool operator==(const Model&) const = default;
};

// What binds a model's members together: a name, a share that leaves the network its own and has an
// owner, a key policy exactly where the weights are sealed.
bool valid(const Model& model, const Params& params);

// A program that may serve. Formats and statuses are the numbers of evidence/common/evidence.h.
struct Release : Record<Release> {
  std::string name;
  uint8_t format = 0;
  Buffer measurement;                        // of devices empty
  std::vector<Buffer> runtime_measurements;  // empty: not compared
  uint64_t valid_from_height = 0;
  uint64_t valid_until_height = UINT64_MAX;
  std::string min_driver, min_firmware;  // of devices: the least versions; empty: any

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "name", r.name, kMaxNameBytes);
    v(2, "format", r.format);
    v(3, "measurement", r.measurement, kMaxMeasurementBytes);
    v(4, "runtime_measurements", r.runtime_measurements, kMaxRuntimeMeasurements,
      kMaxMeasurementBytes);
    v(5, "valid_from_height", r.valid_from_height);
    v(6, "valid_until_height", r.valid_until_height);
    v(7, "min_driver", r.min_driver, kMaxVersionBytes);
    v(8, "min_firmware", r.min_firmware, kMaxVersionBytes);
  }
  bool operator==(const Release&) const = default;
};
// It has a name and heights in order; programs have a measurement and no versions, devices (NVIDIA
// GPUs and switches) no measurement.
bool valid(const Release& release);

// The policy in force: all layers of the ledger merged (governance.h); `policy::Rules` in words of
// the ledger. A version is never used again and only rises: who has seen one takes none below it.
struct NetworkPolicy : Record<NetworkPolicy> {
  uint64_t version = 1;
  std::vector<uint8_t> accepted_statuses;
  uint64_t min_tcb_evaluation_number = 0;
  std::vector<std::string> denied_advisories;
  std::vector<std::string> distrusted_products;
  std::vector<Release> releases;  // nothing outside is admitted
  bool allow_development = false;
  std::vector<Buffer> denied_measurements;
  std::vector<Hash32> denied_platforms;  // platform_id_hash
  std::vector<uint8_t> paused_formats;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "version", r.version);
    v(2, "accepted_statuses", r.accepted_statuses, kMaxStatuses);
    v(3, "min_tcb_evaluation_number", r.min_tcb_evaluation_number);
    v(4, "denied_advisories", r.denied_advisories, kMaxPolicyNames, kMaxAdvisoryBytes);
    v(5, "distrusted_products", r.distrusted_products, kMaxPolicyNames, kMaxNameBytes);
    v(6, "releases", r.releases, kMaxReleases);
    v(7, "allow_development", r.allow_development);
    v(8, "denied_measurements", r.denied_measurements, kMaxPolicyNames, kMaxMeasurementBytes);
    v(9, "denied_platforms", r.denied_platforms, kMaxPolicyNames);
    v(10, "paused_formats", r.paused_formats, kMaxPolicyNames);
  }
  bool operator==(const NetworkPolicy&) const = default;
};

}  // namespace cloister::ledger
