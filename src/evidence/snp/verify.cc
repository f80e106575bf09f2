#include "evidence/snp/verify.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "evidence/common/binding.h"
#include "evidence/common/verified_evidence_maker.h"
#include "evidence/snp/claims.h"
#include "evidence/snp/demands.h"

namespace cloister::evidence {
namespace snp {
namespace {

std::optional<Report> read_report(Bytes bytes, CheckList& checks) {
  auto report = parse_report(bytes);
  const std::string found = report
                                ? fmt::format("version {}", report->version)
                                : fmt::format("{} bytes, {}", bytes.size(), name(report.error()));
  if (!checks.require("evidence_form", report.has_value(),
                      report ? Error::malformed : report.error(),
                      "an SNP report of version 2 to 5, 1184 bytes", found)) {
    return std::nullopt;
  }
  return std::move(*report);
}

bool signature_holds(const Report& report, const Chain& chain, CheckList& checks) {
  const bool ok = crypto::verify_ecdsa(crypto::Curve::p384, chain.vek.public_xy(),
                                       report.signed_bytes, report.signature_rs);
  return checks.require("evidence_signature", ok, Error::bad_signature,
                        "signed by " + chain.vek.subject_common_name(),
                        ok ? "signature holds" : "signature does not hold");
}

// The root's name was checked against its pin, so the chain's product line is the intermediate's;
// the key's own extension and the report's CPUID must say the same.
bool product_agrees(const Report& report, const Chain& chain, CheckList& checks) {
  const std::string root = "ARK-" + std::string(name(chain.extensions.product));
  if (!checks.require("product", chain.root.subject_common_name() == root, Error::identity_mismatch,
                      "a key of the line that its chain names", chain.root.subject_common_name())) {
    return false;
  }
  if (!report.cpuid) return true;
  const auto line = product_from_cpuid(report.cpuid->family, report.cpuid->model);
  return checks.require("cpuid", line == chain.extensions.product, Error::identity_mismatch,
                        std::string(name(chain.extensions.product)),
                        line ? std::string(name(*line)) : "a processor that is not known");
}

bool chip_agrees(const Report& report, const Chain& chain, CheckList& checks) {
  const Bytes chip(report.chip_id);
  if (report.signing_key == SigningKey::vlek) {
    return checks.require("chip_id", all_zero(chip), Error::identity_mismatch,
                          "no chip id with a VLEK", all_zero(chip) ? "none" : "a chip id");
  }
  if (all_zero(chip)) return true;  // masked: a matter of policy, see policy_allows
  const Buffer& id = chain.extensions.hardware_id;
  const bool ok = equal(chip.first(id.size()), id) && all_zero(chip.subspan(id.size()));
  return checks.require("chip_id", ok, Error::identity_mismatch, to_hex(id), to_hex(chip));
}

bool tcb_agrees(const Report& report, const Chain& chain, CheckList& checks) {
  const Tcb& key_tcb = chain.extensions.tcb;
  if (!checks.require("key_tcb", key_tcb == report.reported_tcb, Error::identity_mismatch,
                      to_hex(key_tcb), to_hex(report.reported_tcb))) {
    return false;
  }
  const Tcb& current = report.current_tcb;
  const bool ordered = at_most(report.reported_tcb, current) &&
                       at_most(report.committed_tcb, current) &&
                       at_most(report.launch_tcb, current);
  return checks.require("tcb_order", ordered, Error::identity_mismatch,
                        "reported, committed and launch TCB at most " + to_hex(current),
                        fmt::format("{}, {}, {}", to_hex(report.reported_tcb),
                                    to_hex(report.committed_tcb), to_hex(report.launch_tcb)));
}

bool debug_allowed(const Report& report, const VerifyPolicy& policy, CheckList& checks) {
  const bool debug = (report.policy & kPolicyDebug) != 0;
  return checks.require("debug_off", !debug || policy.allow_debug, Error::debug_enabled,
                        policy.allow_debug ? "off, or on by permission" : "off",
                        debug ? "on" : "off");
}

bool policy_allows(const Report& report, const Chain& chain, const VerifyPolicy& policy,
                   CheckList& checks) {
  auto require = [&](std::string_view check, bool ok, std::string expected, std::string found) {
    return checks.require(check, ok, Error::policy_denied, std::move(expected), std::move(found));
  };
  const std::string line(name(chain.extensions.product));
  const auto& distrusted = policy.distrusted_products;
  const bool trusted = std::find(distrusted.begin(), distrusted.end(), line) == distrusted.end();
  const bool vcek = report.signing_key == SigningKey::vcek;
  const bool chip_hidden = vcek && (report.chip_key_masked || all_zero(report.chip_id));
  const auto missing = unmet(policy.snp, report, chain.extensions.cloud_provider);
  const bool migration = (report.policy & kPolicyMigrationAgent) != 0;
  return require("product_trusted", trusted, "a product line that is not distrusted", line) &&
         require("chip_visible", !chip_hidden, "chip id and chip key not masked",
                 chip_hidden ? "masked" : "not masked") &&
         require("migration_off", !migration || policy.allow_migration,
                 policy.allow_migration ? "off, or on by permission" : "off",
                 migration ? "on" : "off") &&
         require("demands", !missing, "what policy demands of guest and platform",
                 missing.value_or("met")) &&
         require(
             "vmpl", report.vmpl <= kMaxVmpl, "0 to 3: requested by the guest",
             report.vmpl == kVmplOfHost ? "requested by the host" : std::to_string(report.vmpl));
}

Tcb tcb_floor(const Chain& chain, const VerifyPolicy& policy) {
  const auto entry = policy.min_amd_tcb.find(std::string(name(chain.extensions.product)));
  return entry == policy.min_amd_tcb.end() ? Tcb{} : entry->second;
}

// AMD has no status of its own: what meets the policy's floor is up to date.
TcbStatus status_of(const Report& report, const Tcb& floor) {
  const bool met = at_most(floor, report.reported_tcb) && at_most(floor, report.committed_tcb) &&
                   at_most(floor, report.launch_tcb);
  return met ? TcbStatus::up_to_date : TcbStatus::out_of_date;
}

bool status_allowed(TcbStatus status, const Tcb& floor, const VerifyPolicy& policy,
                    CheckList& checks) {
  const bool ok = status == TcbStatus::up_to_date || policy.allow_out_of_date;
  return checks.require("tcb_status", ok, Error::tcb_status,
                        "reported, committed and launch TCB at least " + to_hex(floor),
                        std::string(name(status)));
}

bool binding_holds(const Report& report, const Binding& binding, CheckList& checks) {
  const auto held = check_binding(binding, report.report_data, std::nullopt);
  return checks.require("report_data", held.has_value(),
                        held ? Error::report_data_mismatch : held.error().error,
                        "the expected binding", held ? *held : held.error().detail);
}

// The root lists both certificates below it. AMD gives every VCEK the same serial number, so its
// list can name no machine.
Standing standing_of(const Chain& chain) {
  const Hash32 root = chain.root.spki_sha256();
  return {Format::snp_report,
          root,
          {{false, root, entry_id(root, chain.intermediate.serial())},
           {false, root, entry_id(root, chain.vek.serial())}},
          {}};
}

VerifiedEvidence verified_from(const Report& report, const Chain& chain,
                               const Appraisal& appraisal) {
  VerifiedEvidenceMaker::Fields fields;
  fields.format = Format::snp_report;
  fields.development = chain.development;
  fields.status = *appraisal.status;
  fields.report_data = to_buffer(report.report_data);
  fields.measurement = to_buffer(report.measurement);
  fields.configuration = to_buffer(report.host_data);
  fields.platform_id = to_buffer(report.chip_id);
  fields.product = name(chain.extensions.product);
  fields.valid_until = valid_until(chain);
  fields.standing = standing_of(chain);
  return VerifiedEvidenceMaker::make(std::move(fields));
}

// Authentic: the chain, the lists and the signature, in the order of the error classes.
bool authentic(const Report& report, Chain& chain, const VerifyPolicy& policy, UnixSeconds now,
               CheckList& checks) {
  return check_roles_and_signatures(chain, report.signing_key, policy, checks) &&
         check_windows(chain, now, checks) && check_revocation(chain, checks) &&
         signature_holds(report, chain, checks);
}

}  // namespace
}  // namespace snp

Verification verify_snp_report(Bytes bytes, const Collateral& collateral,
                               const VerifyPolicy& policy, const Binding& binding,
                               UnixSeconds now) {
  using namespace snp;
  Verification out;
  Appraisal& appraisal = out.appraisal;
  appraisal.format = Format::snp_report;
  CheckList checks(appraisal);

  const auto report = read_report(bytes, checks);
  if (!report) return out;
  auto chain = find_chain(*report, collateral, policy, checks);
  if (!chain) return out;
  const bool is_authentic = authentic(*report, *chain, policy, now, checks);
  appraisal.development = chain->development;
  if (!is_authentic) return out;

  appraisal.claims = claims_of(*report, chain->extensions);
  if (!product_agrees(*report, *chain, checks) || !chip_agrees(*report, *chain, checks) ||
      !tcb_agrees(*report, *chain, checks)) {
    return out;
  }
  const Tcb floor = tcb_floor(*chain, policy);
  appraisal.status = status_of(*report, floor);
  if (!debug_allowed(*report, policy, checks) || !policy_allows(*report, *chain, policy, checks) ||
      !status_allowed(*appraisal.status, floor, policy, checks) ||
      !binding_holds(*report, binding, checks)) {
    return out;
  }
  out.verified = verified_from(*report, *chain, appraisal);
  return out;
}

}  // namespace cloister::evidence
