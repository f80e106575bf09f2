#include "evidence/nitro/chain.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::nitro {
namespace {

using crypto::Certificate;

std::unexpected<Fault> wrong(std::string what) {
  return refuse(Error::wrong_chain, std::move(what));
}

bool contains(const std::vector<Hash32>& pins, const Hash32& key) {
  return std::ranges::find(pins, key) != pins.end();
}

bool p384_only(const Certificate& c) {
  return c.key_kind() == crypto::KeyKind::ec_p384 &&
         c.signature_kind() == crypto::SignatureKind::ecdsa_sha384;
}

// `below`: how many CAs stand between this one and the leaf.
bool is_ca(const Certificate& c, size_t below) {
  return c.is_ca() && c.may_sign_certificates() && c.path_length().value_or(below) >= below &&
         p384_only(c) && !c.has_unknown_critical_extension();
}

bool linked(const Certificate& subject, const Certificate& issuer) {
  return subject.issuer_der() == issuer.subject_der() && subject.signed_by(issuer);
}

template <typename Visit>
void each_certificate(const Document& document, Visit visit) {
  for (const Certificate& c : document.cabundle) visit(c);
  visit(document.leaf);
}

}  // namespace

Result<bool> check_chain(const Document& document, const TrustAnchors& anchors) {
  const std::vector<Certificate>& cas = document.cabundle;
  const Hash32 key = cas.front().spki_sha256();
  const bool development = contains(anchors.development_nitro, key);
  if (!development && !contains(anchors.aws_nitro_root, key)) {
    return wrong("root key " + to_hex(key) + " is not pinned");
  }
  for (size_t i = 0; i < cas.size(); ++i) {
    const std::string place = "certificate " + std::to_string(i) + " of the bundle";
    if (!is_ca(cas[i], cas.size() - 1 - i)) return wrong(place + " is not a CA of AWS's form");
    if (!linked(cas[i], cas[i == 0 ? 0 : i - 1])) return wrong(place + " is not of its issuer");
  }
  const Certificate& leaf = document.leaf;
  if (leaf.is_ca() || !leaf.may_sign_data() || !p384_only(leaf) ||
      leaf.has_unknown_critical_extension()) {
    return wrong("the leaf is not of AWS's form");
  }
  if (!linked(leaf, cas.back())) return wrong("the leaf is not of its issuer");
  return development;
}

Result<UnixSeconds> check_windows(const Document& document, UnixSeconds now) {
  UnixSeconds until = INT64_MAX, from = INT64_MIN;
  each_certificate(document, [&](const Certificate& c) {
    from = std::max(from, c.not_before());
    until = std::min(until, c.not_after());
  });
  if (now < from) return refuse(Error::not_yet_valid, "a certificate begins at " + utc_text(from));
  if (now > until) return refuse(Error::expired, "a certificate ended at " + utc_text(until));
  return until;
}

}  // namespace cloister::evidence::nitro
