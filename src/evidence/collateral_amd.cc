// AMD's collateral, judged by the links of the report verifier.
#include "evidence/collateral_parts.h"
#include "evidence/snp/chain.h"
#include "evidence/snp/report.h"

namespace cloister::evidence {
namespace {

using crypto::Certificate;
using snp::ProductLine;
using snp::SigningKey;

struct AmdSigners {
  Certificate root;
  snp::Pin pin;
  std::optional<Certificate> intermediate;
  SigningKey intermediate_for{};  // ASK: VCEK, ASVK: VLEK
};

std::unexpected<CollateralError> unverified() {
  return std::unexpected(CollateralError::unverified);
}

bool add_intermediate(AmdSigners& to, const Certificate& certificate) {
  for (const SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
    if (!snp::fault_of_intermediate(certificate, to.root, kind, to.pin.line).empty()) continue;
    to.intermediate = certificate;
    to.intermediate_for = kind;
    return true;
  }
  return false;
}

// The pinned ARK and at most one ASK or ASVK that it issued; nothing when anything else came along.
std::optional<AmdSigners> find_signers(const std::vector<Certificate>& all,
                                       const TrustAnchors& anchors) {
  const Certificate* root = nullptr;
  for (const Certificate& certificate : all) {
    if (certificate.self_issued()) root = &certificate;
  }
  if (root == nullptr || all.size() > 2) return std::nullopt;
  const auto pin = snp::pin_of(*root, anchors);
  if (!pin || !snp::fault_of_root(*root).empty()) return std::nullopt;
  AmdSigners out{*root, *pin, std::nullopt, SigningKey::vcek};
  for (const Certificate& certificate : all) {
    if (&certificate != root && !add_intermediate(out, certificate)) return std::nullopt;
  }
  return out;
}

std::optional<SigningKey> kind_of(const Certificate& vek) {
  const std::string name = vek.subject_common_name();
  if (name == "SEV-VCEK") return SigningKey::vcek;
  if (name == "SEV-VLEK") return SigningKey::vlek;
  return std::nullopt;
}

CollateralName vek_name(const Hash32& root_key, SigningKey kind, const snp::Tcb& tcb,
                        Bytes holder) {
  const Buffer what = ByteWriter().u8(static_cast<uint8_t>(kind)).bytes(tcb).bytes(holder).take();
  return name_of(CollateralKind::certificate, root_key, what);
}

CollateralResult vek_facts(const Certificate& vek, const TrustAnchors& anchors,
                           const std::vector<Certificate>& chain) {
  const auto kind = kind_of(vek);
  if (!kind) return unverified();
  const auto extensions = snp::parse_vek(vek, *kind);
  if (!extensions || vek.key_kind() != crypto::KeyKind::ec_p384) {
    return std::unexpected(CollateralError::malformed);
  }
  const auto signers = find_signers(chain, anchors);
  if (!signers || !signers->intermediate || signers->intermediate_for != *kind ||
      extensions->product != signers->pin.line ||
      !snp::fault_of_vek(vek, *signers->intermediate, *kind).empty()) {
    return unverified();
  }
  const Bytes holder = *kind == SigningKey::vcek ? Bytes(extensions->hardware_id)
                                                 : as_bytes(extensions->cloud_provider);
  return CollateralFacts{vek_name(signers->root.spki_sha256(), *kind, extensions->tcb, holder),
                         vek.not_before(), vek.not_after(), 0, signers->pin.development};
}

CollateralResult amd_crl_facts(const crypto::Crl& crl, const TrustAnchors& anchors,
                               const std::vector<Certificate>& chain) {
  if (!dcap::check_crl_form(crl)) return std::unexpected(CollateralError::malformed);
  const auto signers = find_signers(chain, anchors);
  if (!signers || crl.issuer_der() != signers->root.subject_der() ||
      !crl.signed_by(signers->root)) {
    return unverified();
  }
  const Hash32 root_key = signers->root.spki_sha256();
  auto facts = crl_facts(crl, root_key, root_key);
  if (facts) facts->development = signers->pin.development;
  return facts;
}

// A report of version 2 does not say its product line.
bool may_be_of(const snp::Report& report, ProductLine line) {
  if (!report.cpuid) return true;
  return snp::product_from_cpuid(report.cpuid->family, report.cpuid->model) == line;
}

}  // namespace

CollateralResult verify_amd(const CollateralFiles& files, const TrustAnchors& anchors,
                            UnixSeconds now) {
  const bool list = !files.object.crls.empty();
  const auto facts =
      list ? amd_crl_facts(files.object.crls.front(), anchors, files.certificates)
           : vek_facts(files.object.certificates.front(), anchors, files.certificates);
  if (!facts) return facts;
  std::vector<dcap::Window> windows = windows_of(files.certificates);
  windows.push_back(list ? dcap::window_of("list", files.object.crls.front())
                         : dcap::window_of("key", files.object.certificates.front()));
  return current(*facts, windows, now);
}

NeededCollateral needed_by_snp_report(Bytes bytes, const TrustAnchors& anchors) {
  const auto report = snp::parse_report(bytes);
  if (!report) return std::unexpected(report.error());
  if (report->signing_key != SigningKey::vcek) return std::unexpected(Error::unsupported);
  std::vector<CollateralName> out;
  const auto add = [&](const Hash32& root_key, ProductLine line) {
    const size_t chip_bytes = line == ProductLine::turin ? 8 : 64;
    out.push_back(vek_name(root_key, SigningKey::vcek, report->reported_tcb,
                           Bytes(report->chip_id).first(chip_bytes)));
    out.push_back(crl_name(root_key, root_key));
  };
  for (const ProductLine line : {ProductLine::milan, ProductLine::genoa, ProductLine::turin}) {
    if (!may_be_of(*report, line)) continue;
    const auto vendor = anchors.amd_ark.find(std::string(snp::name(line)));
    if (vendor != anchors.amd_ark.end()) {
      for (const Hash32& key : vendor->second) add(key, line);
    }
    for (const Hash32& key : anchors.development_amd) add(key, line);
  }
  return out;
}

}  // namespace cloister::evidence
