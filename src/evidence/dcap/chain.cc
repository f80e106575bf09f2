#include "evidence/dcap/chain.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::dcap {
namespace {

using crypto::Certificate;

constexpr std::string_view kPlatformCaName = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCaName = "Intel SGX PCK Processor CA";

bool p256_only(const Certificate& certificate) {
  return certificate.key_kind() == crypto::KeyKind::ec_p256 &&
         certificate.signature_kind() == crypto::SignatureKind::ecdsa_sha256;
}

Result<void> check_ca(const Certificate& ca, std::string_view role, uint64_t min_path_length) {
  const bool may_issue = ca.is_ca() && ca.may_sign_certificates() && ca.may_sign_crls() &&
                         ca.path_length().has_value() && *ca.path_length() >= min_path_length;
  if (!may_issue || !p256_only(ca) || ca.has_unknown_critical_extension()) {
    return refuse(Error::wrong_chain, std::string(role) + " is not a CA as Intel issues them");
  }
  return {};
}

Result<void> check_leaf(const Certificate& leaf, std::string_view common_name) {
  const std::string found = leaf.subject_common_name();
  if (found != common_name) {
    return refuse(Error::wrong_chain,
                  "expected the role " + std::string(common_name) + ", found another");
  }
  if (leaf.is_ca() || !p256_only(leaf) || leaf.has_unknown_critical_extension()) {
    return refuse(Error::wrong_chain, std::string(common_name) + " is not of Intel's form");
  }
  return {};
}

Result<void> check_link(const Certificate& subject, const Certificate& issuer,
                        std::string_view role) {
  if (subject.issuer_der() != issuer.subject_der()) {
    return refuse(Error::wrong_chain, std::string(role) + " names another issuer");
  }
  if (!subject.signed_by(issuer)) {
    return refuse(Error::wrong_chain, std::string(role) + " is not signed by its issuer");
  }
  return {};
}

bool contains(const std::vector<Hash32>& pins, const Hash32& key) {
  return std::ranges::find(pins, key) != pins.end();
}

}  // namespace

std::optional<PckCa> pck_ca_of(const Certificate& intermediate) {
  const std::string found = intermediate.subject_common_name();
  if (found == kPlatformCaName) return PckCa::platform;
  if (found == kProcessorCaName) return PckCa::processor;
  return std::nullopt;
}

std::string_view name(PckCa ca) {
  return ca == PckCa::platform ? "platform" : "processor";
}

Result<bool> check_root(const Certificate& root, const TrustAnchors& anchors) {
  const Hash32 key = root.spki_sha256();
  const bool development = contains(anchors.development_intel, key);
  if (!development && !contains(anchors.intel_sgx_root, key)) {
    return refuse(Error::wrong_chain, "root key " + to_hex(key) + " is not pinned");
  }
  if (root.subject_common_name() != kRootName) {
    return refuse(Error::wrong_chain, "the root has another name");
  }
  if (const auto ca = check_ca(root, "root", 1); !ca) return std::unexpected(ca.error());
  if (const auto self = check_link(root, root, "root"); !self) {
    return std::unexpected(self.error());
  }
  return development;
}

Result<PckCa> check_pck_ca(const Certificate& ca, const Certificate& root) {
  const auto kind = pck_ca_of(ca);
  if (!kind) return refuse(Error::wrong_chain, "the intermediate is not a PCK CA");
  if (const auto form = check_ca(ca, "PCK CA", 0); !form) return std::unexpected(form.error());
  if (const auto link = check_link(ca, root, "PCK CA"); !link) {
    return std::unexpected(link.error());
  }
  return *kind;
}

Result<void> check_pck_leaf(const Certificate& leaf, const Certificate& ca) {
  if (const auto form = check_leaf(leaf, kPckName); !form) return form;
  return check_link(leaf, ca, "PCK certificate");
}

Result<ChainVerdict> check_pck_chain(const PckChain& chain, const TrustAnchors& anchors) {
  const auto development = check_root(chain.root, anchors);
  if (!development) return std::unexpected(development.error());
  const auto ca = check_pck_ca(chain.intermediate, chain.root);
  if (!ca) return std::unexpected(ca.error());
  const auto leaf = check_pck_leaf(chain.leaf, chain.intermediate);
  if (!leaf) return std::unexpected(leaf.error());
  return ChainVerdict{*ca, *development};
}

Result<void> check_tcb_signer(const Certificate& signer, const Certificate& root) {
  if (const auto leaf = check_leaf(signer, kTcbSigningName); !leaf) return leaf;
  return check_link(signer, root, "TCB signing certificate");
}

Result<void> check_crl_form(const crypto::Crl& crl) {
  if (!crl.next_update() || !crl.number() || !crl.has_authority_key_id()) {
    return refuse(Error::malformed, "CRL without next update, number or authority key identifier");
  }
  if (crl.has_unknown_critical_extension()) {
    return refuse(Error::unsupported, "CRL with a critical extension");
  }
  return {};
}

Window window_of(std::string what, const Certificate& certificate) {
  return {std::move(what), certificate.not_before(), certificate.not_after()};
}

Window window_of(std::string what, const crypto::Crl& crl) {
  return {std::move(what), crl.this_update(), crl.next_update().value_or(crl.this_update()) - 1};
}

Result<UnixSeconds> check_windows(const std::vector<Window>& windows, UnixSeconds now) {
  for (const Window& window : windows) {
    if (now < window.from) {
      return refuse(Error::not_yet_valid, window.what + " begins at " + utc_text(window.from) +
                                              ", judged at " + utc_text(now));
    }
  }
  for (const Window& window : windows) {
    if (now > window.until) {
      return refuse(Error::expired, window.what + " ended at " + utc_text(window.until) +
                                        ", judged at " + utc_text(now));
    }
  }
  return std::ranges::min(windows, {}, &Window::until).until;
}

}  // namespace cloister::evidence::dcap
