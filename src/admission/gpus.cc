#include "admission/gpus.h"

#include <algorithm>
#include <set>

#include "evidence/bundle/cmw.h"
#include "evidence/collateral.h"
#include "evidence/nvidia/group.h"
#include "ledger/types/limits.h"

namespace cloister::admission {
namespace {

using evidence::Collateral;
using evidence::CollateralName;
using evidence::Error;
using evidence::Format;
using evidence::Result;
using evidence::nvidia::DeviceKind;

struct Machine {
  std::vector<evidence::Evidence> devices;
  evidence::NvidiaGroupSize size{0, 0};
  Collateral collateral;  // the device certificates, each once; then the ledger's objects
};

Result<Collateral> certificates_of(std::span<const Buffer> files) {
  Collateral all;
  for (const Buffer& file : files) {
    if (!all.add(file)) return evidence::refuse(Error::malformed, "no certificates");
  }
  Collateral out;
  std::swap(out.certificates, all.certificates);
  const bool more = !all.crls.empty() || !all.rims.empty() || !all.ocsp_responses.empty() ||
                    !all.keys.empty() || !all.tcb_infos.empty() || !all.qe_identities.empty();
  if (more) return evidence::refuse(Error::malformed, "more than device certificates came along");
  std::set<Buffer> seen;
  std::erase_if(out.certificates,
                [&](const auto& each) { return !seen.insert(to_buffer(each.der())).second; });
  return out;
}

Result<Machine> read_machine(Bytes collection) {
  const auto bundle = evidence::bundle::read_bundle(collection);
  if (!bundle) return std::unexpected(bundle.error());
  const size_t devices = bundle->items.size();
  if (devices >= ledger::kMaxPlatformsPerInstance) {
    return evidence::refuse(Error::unsupported, std::to_string(devices) + " devices");
  }
  auto certificates = certificates_of(bundle->collateral);
  if (!certificates) return std::unexpected(certificates.error());
  // Each may turn out to be the one whose key signed a device's measurements.
  if (certificates->certificates.size() > devices * evidence::nvidia::kDeviceChainCertificates) {
    return evidence::refuse(Error::malformed, "more certificates than five for each device");
  }
  Machine out;
  out.collateral = std::move(*certificates);
  for (const auto& each : bundle->items) {
    const bool gpu = each.evidence.format == Format::nvidia_gpu;
    if (!gpu && each.evidence.format != Format::nvidia_switch) {
      return evidence::refuse(Error::unsupported, each.label + " is no GPU and no switch");
    }
    ++(gpu ? out.size.gpus : out.size.switches);
    out.devices.push_back(each.evidence);
  }
  if (out.size.gpus == 0) return evidence::refuse(Error::malformed, "no GPU");
  return out;
}

// Objects without what came along with them: chains come with the evidence and in manifests. False
// when there is more than a verifier takes.
bool add_named(const std::vector<CollateralName>& names, const Question& question,
               std::set<CollateralName>& seen, Collateral& to) {
  for (const CollateralName& name : names) {
    if (!seen.insert(name).second) continue;
    const auto held = question.collateral(static_cast<ledger::CollateralKind>(name.kind), name.id);
    if (held && !to.add(held->files.front())) return false;
  }
  return true;
}

bool add_from_ledger(Machine& machine, const Question& question) {
  std::set<CollateralName> seen;
  std::vector<CollateralName> names;
  for (const evidence::Evidence& device : machine.devices) {
    const auto needed =
        evidence::device_collateral_needed(device, machine.collateral, question.anchors);
    if (needed) names.insert(names.end(), needed->begin(), needed->end());
  }
  if (!add_named(names, question, seen, machine.collateral)) return false;
  names.clear();
  for (const std::string& manifest : machine.collateral.rims) {
    const auto needed = evidence::manifest_collateral_needed(manifest);
    names.insert(names.end(), needed.begin(), needed.end());
  }
  return add_named(names, question, seen, machine.collateral);
}

evidence::NvidiaGroupVerification verified(const Machine& machine, const Question& question) {
  std::vector<evidence::NvidiaGroupMember> members;
  for (const evidence::Evidence& device : machine.devices) {
    const bool gpu = device.format == Format::nvidia_gpu;
    members.push_back({gpu ? DeviceKind::gpu : DeviceKind::nvswitch, device.bytes});
  }
  return evidence::verify_nvidia_group(
      members, machine.size, machine.collateral,
      policy::verify_policy(question.rules.merged, question.anchors),
      evidence::Binding::nonce(*question.gpu_nonce), question.now);
}

void refuse_whole(const evidence::Fault& fault, Judgement& out) {
  ItemVerdict verdict;
  evidence::Appraisal& appraisal = verdict.verification.appraisal;
  appraisal.format = Format::nvidia_gpu;
  appraisal.error = fault.error;
  appraisal.detail = fault.detail;
  appraisal.checks = {{"evidence_form", false, "the GPUs of one machine", fault.detail}};
  out.items.push_back(std::move(verdict));
  out.refusal = Refusal::evidence_refused;
}

// The lowest class of any device decides; without any, what is wrong with the machine as a whole.
void refuse_group(evidence::NvidiaGroupVerification group, Judgement& out) {
  const auto decisive = std::ranges::find_if(
      group.devices, [&](const auto& each) { return each.appraisal.error == group.error; });
  if (decisive == group.devices.end()) {
    refuse_whole({*group.error, group.detail}, out);
    return;
  }
  out.items.push_back({std::move(*decisive), {}});
  out.refusal = Refusal::evidence_refused;
}

}  // namespace

void judge_gpus(const ledger::EvidenceItem& item, const Question& question, Judgement& out) {
  if (!question.gpu_nonce) {
    return refuse_whole({Error::unsupported, "no GPU evidence is expected here"}, out);
  }
  if (out.items.empty() || &item != &question.evidence.back()) {
    return refuse_whole({Error::unsupported, "GPUs stand after the CPUs that name them"}, out);
  }
  auto machine = read_machine(item.bytes);
  if (!machine) return refuse_whole(machine.error(), out);
  if (!add_from_ledger(*machine, question)) {
    out.refusal = Refusal::collateral_unusable;
    return;
  }
  auto group = verified(*machine, question);
  if (!group.accepted()) return refuse_group(std::move(group), out);
  for (evidence::Verification& device : group.devices) {
    ItemVerdict verdict{std::move(device), {}};
    verdict.decision = decision_on(*verdict.verification.verified, question);
    const bool allowed = verdict.decision.allowed;
    out.items.push_back(std::move(verdict));
    if (allowed) continue;
    out.refusal = Refusal::policy_refused;
    return;
  }
}

}  // namespace cloister::admission
