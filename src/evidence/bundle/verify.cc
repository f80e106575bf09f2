#include "evidence/bundle/verify.h"

#include <algorithm>

#include "evidence/nvidia/group.h"
#include "evidence/verify.h"

namespace cloister::evidence::bundle {
namespace {

bool is_nvidia(Format format) {
  return format == Format::nvidia_gpu || format == Format::nvidia_switch;
}

Binding binding_for(Format format, const Binding& all) {
  Binding out = Binding::not_compared();
  if (all.expected_report_data() && carries_report_data(format)) {
    out = out.and_report_data(*all.expected_report_data());
  }
  if (all.expected_nonce() && carries_nonce(format)) out = out.and_nonce(*all.expected_nonce());
  return out;
}

// What the caller expects must be carried by something.
std::optional<Error> uncarried(const Bundle& bundle, const Binding& binding) {
  const auto any = [&](bool (*carries)(Format)) {
    return std::ranges::any_of(bundle.items,
                               [&](const Item& each) { return carries(each.evidence.format); });
  };
  if (binding.expected_report_data() && !any(carries_report_data)) {
    return Error::report_data_mismatch;
  }
  if (binding.expected_nonce() && !any(carries_nonce)) return Error::nonce_mismatch;
  return std::nullopt;
}

void lower(BundleVerification& out, std::optional<Error> error, std::string detail) {
  if (!error || (out.error && *out.error <= *error)) return;
  out.error = error;
  out.detail = std::move(detail);
}

struct Machine {
  std::vector<NvidiaGroupMember> members;
  NvidiaGroupSize size{0, 0};
};

Machine machine_of(const Bundle& bundle) {
  Machine out;
  for (const Item& each : bundle.items) {
    if (!is_nvidia(each.evidence.format)) continue;
    const bool gpu = each.evidence.format == Format::nvidia_gpu;
    ++(gpu ? out.size.gpus : out.size.switches);
    out.members.push_back(
        {gpu ? nvidia::DeviceKind::gpu : nvidia::DeviceKind::nvswitch, each.evidence.bytes});
  }
  return out;
}

}  // namespace

BundleVerification verify_bundle(const Bundle& bundle, const Collateral& more,
                                 const VerifyPolicy& policy, const Binding& binding,
                                 UnixSeconds now) {
  BundleVerification out;
  Collateral collateral = more;
  for (const Buffer& file : bundle.collateral) {
    if (!collateral.add(file)) lower(out, Error::malformed, "bundle: a file of collateral");
  }
  // Who sends evidence does not say whose keys count.
  if (collateral.keys.size() != more.keys.size()) {
    lower(out, Error::malformed, "bundle: a key, which only the caller may vouch for");
    collateral.keys = more.keys;
  }
  const Machine machine = machine_of(bundle);
  NvidiaGroupVerification group;
  if (!machine.members.empty()) {
    group = verify_nvidia_group(machine.members, machine.size, collateral, policy,
                                binding_for(Format::nvidia_gpu, binding), now);
  }
  auto device = group.devices.begin();
  for (const Item& each : bundle.items) {
    const Format format = each.evidence.format;
    Verification judged =
        is_nvidia(format) && device != group.devices.end()
            ? std::move(*device++)
            : verify(each.evidence, collateral, policy, binding_for(format, binding), now);
    lower(out, judged.appraisal.error, each.label + ": " + judged.appraisal.detail);
    out.items.push_back({each.label, std::move(judged)});
  }
  lower(out, group.error, group.detail);
  lower(out, uncarried(bundle, binding), "no item carries what is expected");
  return out;
}

}  // namespace cloister::evidence::bundle
