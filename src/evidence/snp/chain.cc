#include "evidence/snp/chain.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::snp {
namespace {

using crypto::Certificate;
using crypto::Crl;

constexpr std::string_view kIntermediatePrefix = "SEV-";
constexpr std::string_view kVlekIntermediatePrefix = "SEV-VLEK-";
constexpr std::string_view kRootPrefix = "ARK-";

std::string_view vek_common_name(SigningKey kind) {
  return kind == SigningKey::vcek ? "SEV-VCEK" : "SEV-VLEK";
}

std::string intermediate_common_name(SigningKey kind, ProductLine line) {
  const auto prefix = kind == SigningKey::vcek ? kIntermediatePrefix : kVlekIntermediatePrefix;
  return std::string(prefix).append(name(line));
}

bool speaks_of(const VekExtensions& extensions, const Report& report) {
  const Bytes chip = Bytes(report.chip_id).first(extensions.hardware_id.size());
  return extensions.tcb == report.reported_tcb && equal(extensions.hardware_id, chip);
}

// The certificate of this report's chip and firmware, or the first of its kind.
std::optional<Certificate> find_vek(const Report& report, const Collateral& collateral) {
  std::optional<Certificate> first;
  for (const Certificate& candidate : collateral.certificates) {
    if (candidate.subject_common_name() != vek_common_name(report.signing_key)) continue;
    const auto extensions = parse_vek(candidate, report.signing_key);
    if (extensions && speaks_of(*extensions, report)) return candidate;
    if (!first) first = candidate;
  }
  return first;
}

// The best candidate for the issuer: it signed; else it has the name; else it has the role. AMD has
// issued two ASKs of one name, so the name alone does not decide.
std::optional<Certificate> find_issuer(const Certificate& subject, const Collateral& collateral,
                                       std::string_view common_name_prefix) {
  std::optional<Certificate> named, any;
  for (const Certificate& candidate : collateral.certificates) {
    const std::string common_name = candidate.subject_common_name();
    if (!common_name.starts_with(common_name_prefix) || !candidate.is_ca()) continue;
    if (candidate.subject_der() == subject.issuer_der()) {
      if (subject.signed_by(candidate)) return candidate;
      if (!named) named = candidate;
    }
    if (!any) any = candidate;
  }
  return named ? named : any;
}

bool newer(const Crl& a, const Crl& b) {
  const Buffer x = a.number().value_or(Buffer{}), y = b.number().value_or(Buffer{});
  return x.size() != y.size() ? x.size() > y.size() : less(y, x);
}

std::optional<Crl> find_crl(const Certificate& root, const Collateral& collateral) {
  std::optional<Crl> best;
  for (const Crl& candidate : collateral.crls) {
    if (candidate.issuer_der() != root.subject_der()) continue;
    if (!best || newer(candidate, *best)) best = candidate;
  }
  return best;
}

bool crl_well_formed(const Crl& crl) {
  return crl.next_update() && crl.number() && crl.has_authority_key_id() &&
         !crl.has_unknown_critical_extension();
}

bool find_certificates(const Report& report, const Collateral& collateral, Chain& chain,
                       CheckList& checks) {
  const std::string vek_name(vek_common_name(report.signing_key));
  auto missing = [&](const std::string& what) {
    return checks.require("certificate_chain", false, Error::collateral_missing, what, "none");
  };
  const auto vek = find_vek(report, collateral);
  if (!vek) return missing("a certificate named " + vek_name);
  chain.vek = *vek;
  const auto extensions = parse_vek(*vek, report.signing_key);
  if (!extensions) {
    return checks.require("certificate_chain", false, extensions.error(),
                          "AMD's extensions in " + vek_name, "others");
  }
  chain.extensions = *extensions;
  if (vek->key_kind() != crypto::KeyKind::ec_p384) {
    return checks.require("certificate_chain", false, Error::unsupported, "a P-384 key", "another");
  }
  const auto intermediate = find_issuer(*vek, collateral, kIntermediatePrefix);
  if (!intermediate) return missing("the certificate that issued " + vek_name);
  const auto root = find_issuer(*intermediate, collateral, kRootPrefix);
  if (!root) return missing("the ARK certificate");
  chain.intermediate = *intermediate;
  chain.root = *root;
  return true;
}

bool find_revocation_list(const Collateral& collateral, const VerifyPolicy& policy, Chain& chain,
                          CheckList& checks) {
  chain.crl = find_crl(chain.root, collateral);
  chain.only_foreign_crls = !chain.crl && !collateral.crls.empty();
  if (chain.crl && !crl_well_formed(*chain.crl)) {
    return checks.require("revocation", false, Error::malformed,
                          "number, authority key id and next update, nothing unknown and critical",
                          "a revocation list of another shape");
  }
  if (chain.crl || chain.only_foreign_crls || policy.allow_no_revocation) return true;
  return checks.require("revocation", false, Error::collateral_missing,
                        "the revocation list of " + chain.root.subject_common_name(), "none");
}

bool pinned(const std::vector<Hash32>& keys, const Hash32& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::optional<ProductLine> line_of_root(const Certificate& root) {
  const std::string common_name = root.subject_common_name();
  if (!common_name.starts_with(kRootPrefix)) return std::nullopt;
  const auto line = product_from_name(common_name.substr(kRootPrefix.size()));
  return line && common_name == std::string(kRootPrefix).append(name(*line)) ? line : std::nullopt;
}

// What no certificate of AMD is.
std::string fault_of_form(const Certificate& certificate) {
  if (certificate.signature_kind() != crypto::SignatureKind::rsa_pss_sha384_salt48) {
    return "a signature other than RSASSA-PSS with SHA-384";
  }
  if (certificate.has_unknown_critical_extension()) return "an unknown critical extension";
  return "";
}

std::string fault_of_chain(const Chain& chain, SigningKey kind, ProductLine line) {
  std::string fault = fault_of_root(chain.root);
  if (fault.empty()) fault = fault_of_intermediate(chain.intermediate, chain.root, kind, line);
  if (fault.empty()) fault = fault_of_vek(chain.vek, chain.intermediate, kind);
  return fault;
}

struct Window {
  std::string what;
  UnixSeconds first;  // both included
  UnixSeconds last;
};

std::vector<Window> windows_of(const Chain& chain) {
  std::vector<Window> out;
  for (const Certificate* c : {&chain.vek, &chain.intermediate, &chain.root}) {
    out.push_back({c->subject_common_name(), c->not_before(), c->not_after()});
  }
  if (chain.crl) {
    // RFC 5280, 5.1.2.5: the next list is out at nextUpdate, so this one ends a second earlier.
    out.push_back({"the revocation list of " + chain.root.subject_common_name(),
                   chain.crl->this_update(), chain.crl->next_update().value_or(0) - 1});
  }
  return out;
}

}  // namespace

std::optional<Chain> find_chain(const Report& report, const Collateral& collateral,
                                const VerifyPolicy& policy, CheckList& checks) {
  Chain chain;
  if (!find_certificates(report, collateral, chain, checks)) return std::nullopt;
  if (!find_revocation_list(collateral, policy, chain, checks)) return std::nullopt;
  return chain;
}

std::optional<Pin> pin_of(const Certificate& root, const TrustAnchors& anchors) {
  const auto line = line_of_root(root);
  if (!line) return std::nullopt;
  const Hash32 key = root.spki_sha256();
  const auto vendor = anchors.amd_ark.find(std::string(name(*line)));
  if (vendor != anchors.amd_ark.end() && pinned(vendor->second, key)) return Pin{*line, false};
  if (pinned(anchors.development_amd, key)) return Pin{*line, true};
  return std::nullopt;
}

std::string fault_of_root(const Certificate& root) {
  if (std::string fault = fault_of_form(root); !fault.empty()) return fault;
  if (!root.self_issued() || !root.is_ca() || !root.may_sign_certificates() ||
      !root.may_sign_crls()) {
    return "a root that may not issue";
  }
  return root.signed_by(root) ? "" : "a root that did not sign itself";
}

std::string fault_of_intermediate(const Certificate& intermediate, const Certificate& root,
                                  SigningKey kind, ProductLine line) {
  if (std::string fault = fault_of_form(intermediate); !fault.empty()) return fault;
  if (intermediate.subject_common_name() != intermediate_common_name(kind, line)) {
    return "an intermediate named " + intermediate.subject_common_name();
  }
  if (!intermediate.is_ca() || !intermediate.may_sign_certificates() ||
      intermediate.path_length() != 0u) {
    return "an intermediate that may not issue end certificates only";
  }
  if (intermediate.issuer_der() != root.subject_der()) return "names that do not chain";
  return intermediate.signed_by(root) ? "" : "an intermediate that the root did not sign";
}

std::string fault_of_vek(const Certificate& vek, const Certificate& intermediate, SigningKey kind) {
  if (std::string fault = fault_of_form(vek); !fault.empty()) return fault;
  if (vek.is_ca() || vek.subject_common_name() != vek_common_name(kind)) {
    return "an endorsement key of another role";
  }
  if (vek.issuer_der() != intermediate.subject_der()) return "names that do not chain";
  return vek.signed_by(intermediate) ? "" : "a key that the intermediate did not sign";
}

bool check_roles_and_signatures(Chain& chain, SigningKey kind, const VerifyPolicy& policy,
                                CheckList& checks) {
  const auto pin = pin_of(chain.root, policy.anchors);
  chain.development = pin && pin->development;
  const std::string root_name =
      line_of_root(chain.root) ? chain.root.subject_common_name() : "an ARK";
  const std::string key = to_hex(chain.root.spki_sha256());
  if (!checks.require("vendor_root", pin.has_value(), Error::wrong_chain,
                      "a pinned key of " + root_name,
                      chain.development ? key + " (development)" : key)) {
    return false;
  }
  const std::string fault = fault_of_chain(chain, kind, pin->line);
  const std::string path = fmt::format("{} issued by {} issued by {}", vek_common_name(kind),
                                       intermediate_common_name(kind, pin->line), root_name);
  return checks.require("certificate_chain", fault.empty(), Error::wrong_chain, path,
                        fault.empty() ? path : fault);
}

bool check_windows(const Chain& chain, UnixSeconds now, CheckList& checks) {
  const std::vector<Window> windows = windows_of(chain);
  for (const Window& w : windows) {
    if (now >= w.first) continue;
    return checks.require("collateral_fresh", false, Error::not_yet_valid,
                          fmt::format("{} valid since {} or earlier", w.what, utc_text(now)),
                          "valid since " + utc_text(w.first));
  }
  for (const Window& w : windows) {
    if (now <= w.last) continue;
    return checks.require("collateral_fresh", false, Error::expired,
                          fmt::format("{} valid until {} or later", w.what, utc_text(now)),
                          "valid until " + utc_text(w.last));
  }
  return checks.require("collateral_fresh", true, Error::expired,
                        "everything valid at " + utc_text(now),
                        "valid until " + utc_text(valid_until(chain)));
}

bool check_revocation(const Chain& chain, CheckList& checks) {
  const std::string expected = fmt::format(
      "a list signed by {} that names neither {} nor {}", chain.root.subject_common_name(),
      chain.intermediate.subject_common_name(), chain.vek.subject_common_name());
  auto require = [&](bool ok, Error error, std::string found) {
    return checks.require("revocation", ok, error, expected, std::move(found));
  };
  if (chain.only_foreign_crls) {
    return require(false, Error::collateral_mismatch, "only lists of other issuers");
  }
  if (!chain.crl) return require(true, Error::collateral_missing, "no list; waived");
  for (const Certificate* certificate : {&chain.intermediate, &chain.vek}) {
    if (chain.crl->lists(certificate->serial())) {
      return require(false, Error::revoked, certificate->subject_common_name() + " is listed");
    }
  }
  if (!chain.crl->signed_by(chain.root)) {
    return require(false, Error::bad_signature, "a list that the root did not sign");
  }
  return require(true, Error::revoked, "neither is listed");
}

UnixSeconds valid_until(const Chain& chain) {
  UnixSeconds out = INT64_MAX;
  for (const Window& w : windows_of(chain)) out = std::min(out, w.last);
  return out;
}

}  // namespace cloister::evidence::snp
