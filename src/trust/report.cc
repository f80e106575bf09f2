#include "trust/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "admission/admission.h"
#include "base/text.h"
#include "channel/atls/binding.h"
#include "crypto/hash.h"
#include "ledger/types/binding.h"
#include "trust/facts.h"

namespace cloister::trust {
namespace {

constexpr std::string_view kDevelopment = "development: no hardware protection";

std::string short_hex(Bytes bytes) {
  return to_hex(bytes.first(std::min<size_t>(bytes.size(), 8)));
}

// What whoever watches the connection still learns.
std::string_view lengths_seen(Mode mode, sealed::Padding padding) {
  if (mode == Mode::chain) {
    return "that nobody sees from which account and when you asked, whom, and the buckets of the "
           "lengths: the ledger shows them, and keeps the ciphertext for a while";
  }
  switch (padding) {
    case sealed::Padding::off:
      return "that nobody saw when, how much and with whom you talked: padding was off, so the "
             "sizes and times of the answer's pieces show";
    case sealed::Padding::standard:
      return "that nobody saw when and with whom you talked, about how long the answer was, and "
             "when the model paused";
    case sealed::Padding::strict:
      return "that nobody saw when and with whom you talked, and the bucket of the answer's length";
  }
  std::abort();
}

bool is_device(const ledger::Platform& platform) {
  return policy::is_device(static_cast<evidence::Format>(platform.format));
}

// What is judged here is the CPUs' evidence; GPUs are vouched for by its claims.
std::vector<Hash32> cpus_of(const ledger::Instance& instance) {
  std::vector<Hash32> out;
  for (const ledger::Platform& platform : instance.platforms) {
    if (!is_device(platform)) out.push_back(platform.id_hash);
  }
  return out;
}

size_t gpus_of(const ledger::Instance& instance) {
  return static_cast<size_t>(
      std::ranges::count(instance.platforms, ledger::kNvidiaGpuFormat, &ledger::Platform::format));
}

// One evaluation. Each `check_…` appends its rows in the report's fixed order.
class Evaluation {
 public:
  Evaluation(const Bundle& bundle, const Expectations& expectations)
      : bundle_(bundle), expectations_(expectations), ledger_(prove_ledger(bundle)) {}

  Report run();

 private:
  policy::LayeredRules rules() const;  // of the ledger's proven policy, tightened by the user's
  bool by_registration() const { return bundle_.mode != Mode::atls; }
  std::optional<evidence::Binding> binding() const;
  void judge_evidence();
  void check_evidence_rows();
  void check_configuration();
  void check_gpu();
  std::optional<policy::Reason> device_refusal() const;
  void check_model();
  void check_channel();
  void check_key();
  std::optional<uint64_t> sealing_epoch() const;
  void check_record();
  void check_quorum();
  void check_policy();
  void check_confirmed();
  void check_job();
  void check_receipt();
  void conclude();
  void describe_parts();

  void add(std::string name, bool ok, std::string expected, std::string found, std::string source) {
    report_.checks.push_back(
        {std::move(name), ok, std::move(expected), std::move(found), std::move(source)});
  }
  std::string policy_source() const {
    return fmt::format("network policy {} at height {}",
                       ledger_.policy ? ledger_.policy->version : 0, ledger_.height);
  }
  std::string receipt_fault() const;
  // What stands where a check could not be made.
  std::string not_reached() const {
    return ledger_.fault.empty() ? "not reached: an earlier check failed"
                                 : "not reached: the ledger's part does not hold: " + ledger_.fault;
  }

  const Bundle& bundle_;
  const Expectations& expectations_;
  const LedgerFacts ledger_;
  admission::Judgement judgement_;
  std::optional<ledger::Claims> claims_;
  Report report_;
};

Report Evaluation::run() {
  report_.receipt_id = bundle_.receipt_id;
  report_.checked_at = bundle_.checked_at;
  claims_ = ledger::Claims::decode(bundle_.claims);
  judge_evidence();
  check_evidence_rows();
  check_configuration();
  check_gpu();
  check_model();
  check_channel();
  check_key();
  check_record();
  check_quorum();
  check_policy();
  check_confirmed();
  if (bundle_.receipt) check_receipt();
  describe_parts();
  conclude();
  return std::move(report_);
}

policy::LayeredRules Evaluation::rules() const {
  const auto network = policy::layered(admission::rules_of(*ledger_.policy));
  return expectations_.local_policy ? policy::tightened(network, *expectations_.local_policy)
                                    : network;
}

// What the evidence must be bound to, computed here; nothing when the claims name nobody.
std::optional<evidence::Binding> Evaluation::binding() const {
  if (by_registration()) {
    if (!claims_) return std::nullopt;
    return evidence::Binding::report_data(ledger::registration_binding(
        bundle_.genesis.chain_id, ledger_.instance->operator_account,
        bundle_.registration.block_hash, bundle_.registration.block_height, *claims_));
  }
  atls::BindingInputs inputs;
  inputs.role = atls::Role::server;
  inputs.bind = bundle_.channel.bind;
  inputs.spki_sha256 = bundle_.channel.spki_sha256;
  inputs.instance_id = ledger_.instance->id;
  inputs.request_sha256 = bundle_.channel.request_sha256;
  inputs.claims_sha256 = crypto::sha256(bundle_.claims);
  return evidence::Binding::report_data(atls::report_data(inputs));
}

void Evaluation::judge_evidence() {
  judgement_.refusal = admission::Refusal::evidence_absent;
  if (!ledger_.fault.empty() || !ledger_.policy || !ledger_.instance) return;
  const auto bound_to = binding();
  if (!bound_to) return;
  const auto in_force = rules();
  const auto anchors = admission::anchors_of(bundle_.genesis);
  // A registration's GPUs are vouched for by its claims, as those of a connection are.
  const auto cpus = by_registration() ? ledger::cpu_evidence(bundle_.evidence)
                                      : std::span<const ledger::EvidenceItem>(bundle_.evidence);
  judgement_ = admission::judge({cpus, admission::lookup_in(ledger_.collateral), anchors, in_force,
                                 *bound_to, bundle_.checked_at,
                                 static_cast<uint64_t>(ledger_.height), bundle_.genesis.chain_id});
}

// Rows that the verifiers make themselves; of several items the first failure speaks.
void Evaluation::check_evidence_rows() {
  static constexpr std::pair<const char*, const char*> kRows[] = {
      {"vendor_root", "a chain to a pinned vendor root"},
      {"evidence_signature", "signed by the vendor's hardware"},
      {"collateral_fresh", "every window holds"},
      {"revocation", "nothing is revoked"},
      {"tcb_status", "a status that policy accepts"},
      {"debug_off", "off"},
  };
  for (const auto& [name, expected] : kRows) {
    Row row{name, false, expected, not_reached(), "vendor"};
    bool seen = false;
    for (const auto& item : judgement_.items) {
      for (const auto& check : item.verification.appraisal.checks) {
        if (check.name != name || (seen && !row.ok)) continue;
        row = {name, check.ok, check.expected, check.found, "vendor"};
        seen = true;
      }
    }
    report_.checks.push_back(std::move(row));
  }
  Row measurement{"measurement", false, "a released program", not_reached(), policy_source()};
  for (const auto& item : judgement_.items) {
    for (const auto& finding : item.decision.findings) {
      if (finding.reason != policy::Reason::measurement) continue;
      measurement = {"measurement", finding.ok, finding.expected, finding.found, policy_source()};
    }
  }
  report_.checks.push_back(std::move(measurement));
}

// The configuration that the hardware measured is the one that the claims, and through the report
// data this connection, name.
void Evaluation::check_configuration() {
  std::string found = "no verified evidence";
  bool ok = claims_ && !judgement_.items.empty();
  for (const auto& item : judgement_.items) {
    const auto& verified = item.verification.verified;
    Bytes measured = verified ? Bytes(verified->configuration()) : Bytes{};
    bool same = claims_ && measured.size() >= 32 &&
                equal(measured.first(32), claims_->config_digest) && all_zero(measured.subspan(32));
    if (verified) found = to_hex(measured.first(std::min<size_t>(32, measured.size())));
    ok = ok && same;
  }
  add("configuration", ok, claims_ ? to_hex(claims_->config_digest) : "claims", found,
      "the instance's claims");
}

// A connection's claims name the GPU evidence that the ledger verified with the registration: the
// CPU's evidence vouches on this very connection that they are the GPUs of its machine.
void Evaluation::check_gpu() {
  const auto registered =
      ledger_.instance ? ledger::Claims::decode(ledger_.instance->claims) : std::nullopt;
  const bool same =
      claims_ && registered && claims_->gpu_evidence_sha256 == registered->gpu_evidence_sha256;
  const bool asked = ledger_.session && ledger_.session->requirement.gpu;
  const size_t count = ledger_.instance ? gpus_of(*ledger_.instance) : 0;
  std::string found =
      same ? fmt::format("{} verified by the ledger, named by the CPU's evidence", count)
           : "other GPU evidence than the ledger verified";
  if (same && count == 0) found = "none";
  if (!registered || !claims_) found = not_reached();
  const auto refused = device_refusal();
  if (refused) found = fmt::format("refused by policy: {}", policy::name(*refused));
  add("gpu", same && (count > 0 || !asked) && !refused,
      asked ? "a confidential GPU" : "none, or verified GPUs", std::move(found),
      "ledger record and measured claims");
}

// What the ledger established of the devices meets the rules in force, and the user's.
std::optional<policy::Reason> Evaluation::device_refusal() const {
  if (!ledger_.instance || !ledger_.policy) return std::nullopt;
  const auto in_force = rules();
  for (const ledger::Platform& platform : ledger_.instance->platforms) {
    if (!is_device(platform)) continue;
    const auto decision = policy::decide_again(admission::established_of(platform), in_force,
                                               static_cast<uint64_t>(ledger_.height));
    if (!decision.allowed) return decision.first_refusal();
  }
  return std::nullopt;
}

void Evaluation::check_model() {
  const auto& model = ledger_.model;
  bool loaded =
      claims_ && model && std::ranges::find(claims_->models, model->root) != claims_->models.end();
  bool same = loaded && ledger_.session && ledger_.session->model_root == model->root &&
              (!bundle_.receipt || bundle_.receipt->receipt.model_root == model->root);
  add("model_root", same, model ? to_hex(model->root) : "a model of the ledger",
      same ? fmt::format("{} loaded, asked for and answered with", model->name)
           : "not the same model in claims, session and receipt",
      "ledger record and measured claims");
}

void Evaluation::check_channel() {
  bool ok = !judgement_.items.empty();
  for (const auto& item : judgement_.items) {
    ok = ok && item.verification.appraisal.error != evidence::Error::report_data_mismatch &&
         item.verification.verified.has_value();
  }
  if (!by_registration()) {
    add("channel_binding", ok, "evidence made for this very connection",
        ok ? "report data equals the connection's binding" : "not proven",
        "computed by this verifier");
    return;
  }
  const auto& instance = ledger_.instance;
  ok = ok && instance && equal(instance->claims, bundle_.claims) &&
       instance->evidence_sha256 == ledger::evidence_hash(bundle_.evidence);
  add("channel_binding", ok, "the evidence of this very registration",
      ok ? fmt::format("report data names the registration and block {}",
                       bundle_.registration.block_height)
         : "not proven",
      "computed by this verifier");
}

void Evaluation::check_key() {
  const auto& instance = ledger_.instance;
  bool claims_agree = claims_ && instance && claims_->instance_id == instance->id &&
                      claims_->spki_sha256 == instance->spki_sha256 &&
                      claims_->role == ledger::Claims::kServer;
  const auto epoch = sealing_epoch();
  if (by_registration()) {
    const std::string key = short_hex(bundle_.sealing.key_config_sha256) + "… of the sealing";
    add("key_binding", claims_agree && epoch,
        "the sealing key in a live epoch that this instance signed",
        epoch ? fmt::format("{}, epoch {}", key, *epoch) : key + ": not of this instance",
        "ledger record and measured claims");
    return;
  }
  bool ledger_agrees = instance && instance->spki_sha256 == bundle_.channel.spki_sha256;
  const std::string keys = short_hex(bundle_.channel.spki_sha256) + "… of the connection, " +
                           short_hex(bundle_.sealing.key_config_sha256) + "… of the sealing";
  add("key_binding", claims_agree && ledger_agrees && epoch,
      "the connection's key in evidence and record, the sealing key in a live epoch",
      epoch ? fmt::format("{}, epoch {}", keys, *epoch) : keys + ": not all of this instance",
      "ledger record and measured claims");
}

// The epoch of this instance's keys, as the ledger has them, that the request was sealed to.
std::optional<uint64_t> Evaluation::sealing_epoch() const {
  if (!ledger_.instance || !equal(ledger_.keys_of, ledger_.instance->id)) return std::nullopt;
  const auto now_ms = static_cast<uint64_t>(bundle_.checked_at) * 1000;
  for (const ledger::KeyConfig& keys : ledger_.keys.epochs) {
    if (crypto::sha256(keys.config) != bundle_.sealing.key_config_sha256) continue;
    if (keys.valid_until_ms > now_ms) return keys.epoch;
  }
  return std::nullopt;
}

void Evaluation::check_record() {
  const auto& instance = ledger_.instance;
  bool active = instance && instance->state == ledger::InstanceState::active &&
                instance->expires_height > static_cast<uint64_t>(ledger_.height);
  const auto registered = instance ? cpus_of(*instance) : std::vector<Hash32>();
  bool same_platforms = active && registered.size() == judgement_.items.size();
  for (size_t i = 0; same_platforms && i < judgement_.items.size(); ++i) {
    const auto& verified = judgement_.items[i].verification.verified;
    same_platforms =
        verified &&
        admission::platform_of(*verified, bundle_.genesis.chain_id).id_hash == registered[i];
  }
  add("ledger_record", active && same_platforms, "an active instance on this very platform",
      !instance        ? "no such instance"
      : !active        ? "not active"
      : same_platforms ? fmt::format("registered at height {}", instance->registered_height)
                       : "another platform than the registered one",
      fmt::format("ledger at height {}, with proof", ledger_.height));
}

// A genesis that nobody pinned could be anybody's: then only a development network, which promises
// nothing, is good enough.
void Evaluation::check_quorum() {
  const auto hash = bundle_.genesis.hash();
  const bool pinned = expectations_.genesis_hash.has_value();
  const bool same = !pinned || *expectations_.genesis_hash == hash;
  const bool enough = pinned || bundle_.genesis.development;
  std::string found = fmt::format("{} of {} signed; every record proven", ledger_.signed_power,
                                  ledger_.total_power);
  if (!enough) found = "the genesis is the bundle's own: give the one you trust";
  if (!same) found = "another genesis: " + short_hex(hash);
  if (!ledger_.fault.empty()) found = ledger_.fault;
  add("ledger_quorum", ledger_.fault.empty() && same && enough,
      "more than two thirds of the validators' power", found,
      fmt::format("genesis {}{}", short_hex(hash),
                  pinned ? "" : " (as the bundle has it, not pinned)"));
}

void Evaluation::check_policy() {
  bool ok = judgement_.admitted();
  std::string found = ok ? "allowed" : std::string(admission::name(judgement_.refusal));
  if (auto error = judgement_.evidence_error()) found = evidence::name(*error);
  if (auto reason = judgement_.policy_reason()) found = policy::name(*reason);
  add("policy", ok, "allowed by vendor, network and local rules", found, policy_source());
}

void Evaluation::check_confirmed() {
  const auto& session = ledger_.session;
  using ledger::SessionState;
  if (bundle_.mode == Mode::chain) return check_job();
  bool confirmed = session && ledger_.instance && session->instance == ledger_.instance->id &&
                   session->state == SessionState::confirmed && session->confirmed_height > 0;
  bool before =
      confirmed && (!bundle_.receipt || ledger_.session_proven_ms <=
                                            static_cast<int64_t>(bundle_.receipt->receipt.time_ms));
  add("confirmed_before_compute", before, "the session confirmed on the ledger before the answer",
      before ? fmt::format("confirmed at height {}", session->confirmed_height)
             : (confirmed ? "the answer is older than the confirmation"
                          : "not confirmed for this instance"),
      fmt::format("ledger at height {}, with proof", ledger_.session_height));
}

// A job's input is its confirmation: before it is posted there is nothing but the draw.
void Evaluation::check_job() {
  const auto& job = ledger_.session;
  using ledger::SessionState;
  const bool ours =
      job && ledger_.instance && job->on_ledger && job->instance == ledger_.instance->id;
  const std::string source = fmt::format("ledger at height {}, with proof", ledger_.session_height);
  if (!bundle_.receipt) {
    const bool drawn = ours && job->state == SessionState::assigned;
    add("confirmed_before_compute", drawn, "a job drawn for this instance, its input still here",
        drawn ? fmt::format("drawn at height {}", job->assigned_height) : "not drawn for it",
        source);
    return;
  }
  const bool answered = ours && job->confirmed_height > 0 && job->state == SessionState::closed;
  const bool before =
      answered && ledger_.confirmed_ms &&
      *ledger_.confirmed_ms <= static_cast<int64_t>(bundle_.receipt->receipt.time_ms);
  add("confirmed_before_compute", before, "the job's input on the ledger before the answer",
      before     ? fmt::format("input at height {}", job->confirmed_height)
      : answered ? "the answer is older than the input"
                 : "not an answered job of this instance",
      source);
}

std::string Evaluation::receipt_fault() const {
  const auto& receipt = bundle_.receipt->receipt;
  if (!ledger_.instance || !ledger_.session) return "no instance or session to compare with";
  if (!ledger::verify_receipt(*bundle_.receipt, ledger_.instance->identity_key))
    return "bad signature";
  if (receipt.chain_id != bundle_.genesis.chain_id) return "another chain";
  if (receipt.instance_id != ledger_.instance->id) return "another instance";
  if (receipt.session != ledger_.session->id) return "another session";
  if (receipt.evidence_digest != ledger::evidence_hash(bundle_.evidence)) return "other evidence";
  return {};
}

void Evaluation::check_receipt() {
  std::string fault = receipt_fault();
  const auto& receipt = bundle_.receipt->receipt;
  add("receipt_signature", fault.empty(), "signed by the attested instance for this session",
      fault.empty() ? fmt::format("answer {} of the session, {} + {} units", receipt.sequence,
                                  receipt.prompt_units, receipt.completion_units)
                    : fault,
      "the instance's identity key on the ledger");
}

void Evaluation::describe_parts() {
  JsonValue::Array platforms;
  for (const auto& item : judgement_.items) {
    const auto& verified = item.verification.verified;
    if (verified)
      platforms.push_back(JsonValue::object(
          {{"format", evidence::name(verified->format())}, {"product", verified->product()}}));
  }
  if (ledger_.instance) {
    report_.instance = JsonValue::object({{"id", to_hex(ledger_.instance->id)},
                                          {"platforms", std::move(platforms)},
                                          {"operator", to_hex(ledger_.instance->operator_account)},
                                          {"endpoint", ledger_.instance->endpoint}});
  }
  if (ledger_.model) {
    report_.model = JsonValue::object({{"name", ledger_.model->name},
                                       {"root", to_hex(ledger_.model->root)},
                                       {"quantization", ledger_.model->quantization}});
  }
  report_.channel = JsonValue::object({{"mode", name(bundle_.mode)},
                                       {"kem", "X-Wing"},
                                       {"padding", sealed::name(bundle_.sealing.padding)}});
  report_.ledger =
      JsonValue::object({{"chain_id", bundle_.genesis.chain_id},
                         {"height", ledger_.height},
                         {"signed_power", ledger_.signed_power},
                         {"total_power", ledger_.total_power},
                         {"policy_version", ledger_.policy ? ledger_.policy->version : 0}});
  report_.not_proven = {"physical attacks on memory (DDR5 interposers can forge evidence)",
                        "hardware faults that the vendors have not published",
                        "that the answer is true",
                        std::string(lengths_seen(bundle_.mode, bundle_.sealing.padding))};
  if (by_registration()) {
    report_.not_proven.push_back(fmt::format(
        "that the keys have stayed in that machine since block {}: nobody asked it anew",
        bundle_.registration.block_height));
  }
  if (ledger_.instance && gpus_of(*ledger_.instance) > 0) {
    report_.not_proven.emplace_back(
        "that CPU and GPU are in one machine: a GPU's evidence can be relayed between machines");
  }
}

void Evaluation::conclude() {
  const Row* failure = report_.first_failure();
  bool simulated = judgement_.development() || bundle_.genesis.development;
  bool older = std::ranges::any_of(judgement_.items, [](const admission::ItemVerdict& item) {
    return item.verification.verified &&
           item.verification.verified->status() != evidence::TcbStatus::up_to_date;
  });
  if (failure != nullptr) {
    report_.level = Level::failed;
    report_.statement =
        fmt::format("Not verified: the check {} failed ({}).{}", failure->name, failure->found,
                    simulated ? fmt::format(" {}.", kDevelopment) : "");
    return;
  }
  std::vector<std::string> machines;
  for (const auto& item : judgement_.items)
    machines.push_back(item.verification.verified->product());
  const std::string checked =
      by_registration()
          ? "the network met it, this computer checked its registration before sending"
          : "this computer checked it before sending";
  std::string what =
      fmt::format("This answer came from instance {} on {}; {}", short_hex(ledger_.instance->id),
                  fmt::join(machines, " and "), checked);
  if (!bundle_.receipt && !by_registration())
    what = fmt::format("This connection leads to instance {} on {}; this computer checked it",
                       short_hex(ledger_.instance->id), fmt::join(machines, " and "));
  report_.level = simulated           ? Level::development
                  : by_registration() ? Level::verified_by_network
                  : older             ? Level::verified_older_firmware
                                      : Level::verified;
  report_.statement = simulated ? fmt::format("{}. The machine is simulated ({}): {}.", what,
                                              fmt::join(machines, ", "), kDevelopment)
                                : what + ".";
}

}  // namespace

std::string_view name(Level level) {
  switch (level) {
    case Level::verified:
      return "verified";
    case Level::verified_older_firmware:
      return "verified_older_firmware";
    case Level::verified_by_network:
      return "verified_by_network";
    case Level::development:
      return "development";
    case Level::failed:
      return "failed";
  }
  std::abort();
}

const Row* Report::first_failure() const {
  auto found = std::ranges::find(checks, false, &Row::ok);
  return found == checks.end() ? nullptr : &*found;
}

Report evaluate(const Bundle& bundle, const Expectations& expectations) {
  return Evaluation(bundle, expectations).run();
}

JsonValue to_json(const Report& report) {
  JsonValue::Array checks, not_proven;
  for (const Row& row : report.checks) {
    checks.push_back(JsonValue::object({{"name", row.name},
                                        {"ok", row.ok},
                                        {"expected", row.expected},
                                        {"found", row.found},
                                        {"source", row.source}}));
  }
  for (const auto& line : report.not_proven) not_proven.emplace_back(line);
  return JsonValue::object({{"level", name(report.level)},
                            {"statement", report.statement},
                            {"checks", std::move(checks)},
                            {"not_proven", std::move(not_proven)},
                            {"instance", report.instance},
                            {"model", report.model},
                            {"channel", report.channel},
                            {"ledger", report.ledger},
                            {"receipt_id", report.receipt_id},
                            {"checked_at", report.checked_at}});
}

}  // namespace cloister::trust
