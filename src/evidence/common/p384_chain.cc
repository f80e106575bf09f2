#include "evidence/common/p384_chain.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence {
namespace {

using crypto::Certificate;

std::unexpected<Fault> wrong(size_t place, std::string_view what) {
  return refuse(Error::wrong_chain, "certificate " + std::to_string(place) +
                                        " from the end entity " + std::string(what));
}

bool contains(const std::vector<Hash32>& pins, const Hash32& key) {
  return std::ranges::find(pins, key) != pins.end();
}

bool suits(const Certificate& c) {
  return c.key_kind() == crypto::KeyKind::ec_p384 &&
         c.signature_kind() == crypto::SignatureKind::ecdsa_sha384 &&
         !c.has_unknown_critical_extension();
}

// `below`: how many CAs stand between this one and the end entity.
bool is_ca(const Certificate& c, size_t below) {
  return c.is_ca() && c.may_sign_certificates() && c.path_length().value_or(below) >= below;
}

bool linked(const Certificate& subject, const Certificate& issuer) {
  return subject.issuer_der() == issuer.subject_der() && subject.signed_by(issuer);
}

}  // namespace

Result<bool> check_p384_chain(ChainView chain, const ChainRoots& roots) {
  const auto development = check_p384_issuers(chain, roots);
  if (!development) return development;
  const Certificate& end = *chain.front();
  if (end.is_ca() || !end.may_sign_data()) return wrong(0, "has not its role's form");
  return development;
}

Result<bool> check_p384_issuers(ChainView chain, const ChainRoots& roots) {
  if (chain.empty()) return refuse(Error::wrong_chain, "no certificates");
  const Hash32 key = chain.back()->spki_sha256();
  const bool development = contains(roots.development, key);
  if (!development && !contains(roots.pinned, key)) {
    return refuse(Error::wrong_chain, "root key " + to_hex(key) + " is not pinned");
  }
  const size_t first_is_ca = chain.front()->is_ca() ? 1 : 0;
  for (size_t i = 0; i < chain.size(); ++i) {
    const Certificate& c = *chain[i];
    const bool in_its_role = i == 0 || is_ca(c, i - 1 + first_is_ca);
    if (!suits(c) || !in_its_role) return wrong(i, "has not its role's form");
    if (!linked(c, *chain[std::min(i + 1, chain.size() - 1)])) return wrong(i, "does not link");
  }
  return development;
}

Result<UnixSeconds> check_chain_windows(ChainView chain, UnixSeconds now) {
  UnixSeconds until = INT64_MAX, from = INT64_MIN;
  for (const Certificate* c : chain) {
    from = std::max(from, c->not_before());
    until = std::min(until, c->not_after());
  }
  if (now < from) return refuse(Error::not_yet_valid, "a certificate begins at " + utc_text(from));
  if (now > until) return refuse(Error::expired, "a certificate ended at " + utc_text(until));
  return until;
}

}  // namespace cloister::evidence
