// Intel's collateral, judged by the links of the quote verifier.
#include "evidence/collateral_parts.h"
#include "evidence/dcap/pck.h"
#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/quote.h"
#include "evidence/dcap/tcb_info.h"

namespace cloister::evidence {
namespace {

using crypto::Certificate;
using dcap::Window;

// Everything that came along, each in its role.
struct IntelSigners {
  Certificate root;
  bool development = false;
  std::optional<Certificate> tcb_signer;
  std::optional<Certificate> pck_ca;
};

std::unexpected<CollateralError> unverified() {
  return std::unexpected(CollateralError::unverified);
}

const Certificate* only_one_named(const std::vector<Certificate>& all, std::string_view name) {
  const Certificate* found = nullptr;
  for (const Certificate& certificate : all) {
    if (certificate.subject_common_name() != name) continue;
    if (found != nullptr) return nullptr;
    found = &certificate;
  }
  return found;
}

// The pinned root and at most one certificate of each other role below it; nothing when there is a
// certificate that is none of these.
std::optional<IntelSigners> find_signers(const std::vector<Certificate>& all,
                                         const TrustAnchors& anchors) {
  const Certificate* root = only_one_named(all, dcap::kRootName);
  if (root == nullptr) return std::nullopt;
  const auto development = dcap::check_root(*root, anchors);
  if (!development) return std::nullopt;
  IntelSigners out{*root, *development, std::nullopt, std::nullopt};
  const Certificate* leaf = nullptr;
  for (const Certificate& certificate : all) {
    if (&certificate == root) continue;
    if (!out.tcb_signer && dcap::check_tcb_signer(certificate, *root)) {
      out.tcb_signer = certificate;
    } else if (!out.pck_ca && dcap::check_pck_ca(certificate, *root)) {
      out.pck_ca = certificate;
    } else if (leaf == nullptr) {
      leaf = &certificate;  // a PCK chain comes with its leaf; judged when its CA is known
    } else {
      return std::nullopt;
    }
  }
  if (leaf != nullptr && !(out.pck_ca && dcap::check_pck_leaf(*leaf, *out.pck_ca))) {
    return std::nullopt;
  }
  return out;
}

// A document that the TCB signing certificate signs.
CollateralResult document_facts(const dcap::SignedJson& document, const IntelSigners& signers,
                                const CollateralFacts& claimed) {
  if (!signers.tcb_signer || !dcap::signed_by(document, *signers.tcb_signer)) return unverified();
  return claimed;
}

CollateralResult tcb_info_facts(const dcap::TcbInfo& info, const IntelSigners& signers) {
  const auto name = tcb_info_name(info.tee, signers.root.spki_sha256(), info.fmspc, info.pce_id);
  return document_facts(info.document, signers,
                        {name, info.issue_date, info.next_update, info.evaluation_number, false});
}

CollateralResult qe_identity_facts(const dcap::QeIdentity& identity, const IntelSigners& signers) {
  const auto name = qe_identity_name(identity.tee, signers.root.spki_sha256());
  return document_facts(
      identity.document, signers,
      {name, identity.issue_date, identity.next_update, identity.evaluation_number, false});
}

CollateralResult intel_crl_facts(const crypto::Crl& crl, const IntelSigners& signers) {
  for (const auto& issuer : {std::optional(signers.root), signers.pck_ca}) {
    if (!issuer || crl.issuer_der() != issuer->subject_der()) continue;
    if (!crl.signed_by(*issuer)) return unverified();
    return crl_facts(crl, signers.root.spki_sha256(), issuer->spki_sha256());
  }
  return unverified();
}

}  // namespace

CollateralName tcb_info_name(dcap::Tee tee, const Hash32& root_key, const Fixed<6>& fmspc,
                             const Fixed<2>& pce_id) {
  const auto kind =
      tee == dcap::Tee::tdx ? CollateralKind::tdx_tcb_info : CollateralKind::sgx_tcb_info;
  return name_of(kind, root_key, ByteWriter().bytes(fmspc).bytes(pce_id).view());
}

CollateralName qe_identity_name(dcap::Tee tee, const Hash32& root_key) {
  const auto kind =
      tee == dcap::Tee::tdx ? CollateralKind::tdx_qe_identity : CollateralKind::sgx_qe_identity;
  return name_of(kind, root_key, {});
}

CollateralResult verify_intel(const CollateralFiles& files, const TrustAnchors& anchors,
                              UnixSeconds now) {
  const Collateral& object = files.object;
  std::optional<dcap::TcbInfo> info;
  std::optional<dcap::QeIdentity> identity;
  // Form comes before authenticity, so that the error of an input with several faults is stable.
  if (!object.tcb_infos.empty()) {
    auto parsed = dcap::parse_tcb_info(object.tcb_infos.front());
    if (!parsed) return std::unexpected(CollateralError::malformed);
    info = std::move(*parsed);
  } else if (!object.qe_identities.empty()) {
    auto parsed = dcap::parse_qe_identity(object.qe_identities.front());
    if (!parsed) return std::unexpected(CollateralError::malformed);
    identity = std::move(*parsed);
  } else if (!dcap::check_crl_form(object.crls.front())) {
    return std::unexpected(CollateralError::malformed);
  }
  const auto signers = find_signers(files.certificates, anchors);
  if (!signers) return unverified();
  auto facts = info       ? tcb_info_facts(*info, *signers)
               : identity ? qe_identity_facts(*identity, *signers)
                          : intel_crl_facts(object.crls.front(), *signers);
  if (!facts) return facts;
  facts->development = signers->development;
  std::vector<Window> windows = windows_of(files.certificates);
  windows.push_back(object.crls.empty() ? Window{"document", facts->issued_at, facts->next_update}
                                        : dcap::window_of("list", object.crls.front()));
  return current(*facts, windows, now);
}

NeededCollateral needed_by_quote(Bytes bytes, dcap::Tee tee, const dcap::PckChains& chains) {
  const auto quote = dcap::parse_quote(bytes, tee);
  if (!quote) return std::unexpected(quote.error().error);
  const auto platform = chains.platform(quote->pck_chain_pem);
  if (!platform) return std::unexpected(platform.error().error);
  const dcap::PckExtension& extension = (*platform)->extension;
  const dcap::PckChain& chain = (*platform)->chain;
  const Hash32 root = chain.root.spki_sha256();
  return std::vector{
      tcb_info_name(tee, root, extension.fmspc, extension.pce_id),
      qe_identity_name(tee, root),
      crl_name(root, root),
      crl_name(root, chain.intermediate.spki_sha256()),
  };
}

}  // namespace cloister::evidence
