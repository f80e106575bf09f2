#include "evidence/rim/ocsp.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::rim {
namespace {

using crypto::Certificate;
using crypto::OcspStatus;

// A responder and those above it, up to the issuer of the subject or a pinned root.
using ResponderChain = std::vector<const Certificate*>;
constexpr size_t kMaxResponderChain = 4;

bool contains(const std::vector<Hash32>& pins, const Hash32& key) {
  return std::ranges::find(pins, key) != pins.end();
}

bool is_trusted(const Certificate& c, const OcspFound& found, const TrustAnchors& anchors) {
  const Hash32 key = c.spki_sha256();
  return std::ranges::find(found.above, &c) != found.above.end() ||
         contains(anchors.nvidia_device_root, key) || contains(anchors.nvidia_rim_root, key) ||
         contains(anchors.development_nvidia, key);
}

bool may_issue(const Certificate& c) {
  return c.is_ca() && c.may_sign_certificates() && !c.has_unknown_critical_extension();
}

// RFC 6960, 4.2.2.2: the issuer itself, or one that it delegated to; NVIDIA's stand below its
// roots.
std::optional<ResponderChain> chain_of(const Certificate& responder, const OcspFound& found,
                                       const TrustAnchors& anchors) {
  ResponderChain chain = {&responder};
  if (responder.der() == found.above.front()->der()) return chain;
  if (!responder.may_sign_ocsp() || responder.has_unknown_critical_extension()) {
    return std::nullopt;
  }
  std::vector<const Certificate*> candidates = found.above;
  for (const Certificate& each : found.response.certificates()) candidates.push_back(&each);
  while (chain.size() < kMaxResponderChain) {
    const auto above = std::ranges::find_if(candidates, [&](const Certificate* c) {
      return c != chain.back() && chain.back()->issuer_der() == c->subject_der() && may_issue(*c) &&
             chain.back()->signed_by(*c);
    });
    if (above == candidates.end()) return std::nullopt;
    chain.push_back(*above);
    if (is_trusted(**above, found, anchors)) return chain;
  }
  return std::nullopt;
}

struct Responder {
  const Certificate* certificate;
  ResponderChain chain;
};

// The first candidate that has a role; without any, the issuer must have signed itself. Whether it
// signed is asked later, in the order of `Error`.
std::optional<Responder> responder_of(const OcspFound& found, const TrustAnchors& anchors) {
  for (const Certificate& each : found.response.certificates()) {
    if (auto chain = chain_of(each, found, anchors)) return Responder{&each, std::move(*chain)};
  }
  if (!found.response.certificates().empty()) return std::nullopt;
  const Certificate* issuer = found.above.front();
  return Responder{issuer, {issuer}};
}

Result<UnixSeconds> check_window(const crypto::OcspAnswer& answer, UnixSeconds now) {
  if (now < answer.this_update) {
    return refuse(Error::not_yet_valid, "an OCSP answer begins at " + utc_text(answer.this_update));
  }
  if (!answer.next_update) return refuse(Error::expired, "an OCSP answer names no end");
  if (now > *answer.next_update) {
    return refuse(Error::expired, "an OCSP answer ended at " + utc_text(*answer.next_update));
  }
  return *answer.next_update;
}

Result<std::vector<Responder>> responders_of(const OcspFindings& findings,
                                             const TrustAnchors& anchors) {
  std::vector<Responder> out;
  for (const OcspFound& found : findings) {
    auto responder = responder_of(found, anchors);
    if (!responder) return refuse(Error::wrong_chain, "an OCSP responder without a role");
    out.push_back(std::move(*responder));
  }
  return out;
}

Result<UnixSeconds> check_windows(const OcspFindings& findings,
                                  const std::vector<Responder>& responders, UnixSeconds now) {
  UnixSeconds until = INT64_MAX;
  for (size_t i = 0; i < findings.size(); ++i) {
    const auto answer = check_window(findings[i].answer, now);
    if (!answer) return answer;
    const auto chain = check_chain_windows(responders[i].chain, now);
    if (!chain) return chain;
    until = std::min({until, *answer, *chain});
  }
  return until;
}

Result<std::monostate> check_signatures(const OcspFindings& findings,
                                        const std::vector<Responder>& responders) {
  for (size_t i = 0; i < findings.size(); ++i) {
    if (!findings[i].response.signed_by(*responders[i].certificate)) {
      return refuse(Error::bad_signature, "signature of an OCSP answer");
    }
  }
  return std::monostate();
}

Result<std::monostate> check_status(OcspStatus status) {
  switch (status) {
    case OcspStatus::good:
      return std::monostate();
    case OcspStatus::revoked:
      return refuse(Error::revoked, "OCSP: revoked");
    case OcspStatus::on_hold:
      return refuse(Error::revoked, "OCSP: on hold");
    case OcspStatus::unknown:
      return refuse(Error::revoked, "OCSP: unknown to its responder");
  }
  std::abort();
}

}  // namespace

Result<OcspFindings> find_ocsp(ChainView chain, size_t first, const Collateral& collateral,
                               const VerifyPolicy& policy) {
  std::vector<crypto::OcspResponse> responses;
  for (const Buffer& each : collateral.ocsp_responses) {
    auto response = crypto::OcspResponse::from_der(each);
    if (!response || response->has_unknown_critical_extension()) {
      return refuse(Error::malformed, "an OCSP response");
    }
    responses.push_back(std::move(*response));
  }
  OcspFindings out;
  for (size_t i = first; i + 1 < chain.size(); ++i) {
    std::optional<OcspFound> newest;
    for (const crypto::OcspResponse& response : responses) {
      const auto answer = response.answer_for(*chain[i], *chain[i + 1]);
      if (!answer || (newest && newest->answer.this_update >= answer->this_update)) continue;
      newest = OcspFound{
          {chain.begin() + static_cast<ptrdiff_t>(i) + 1, chain.end()}, response, *answer};
    }
    if (newest) {
      out.push_back(std::move(*newest));
    } else if (!policy.allow_no_revocation) {
      return refuse(Error::collateral_missing,
                    "no OCSP answer about " + chain[i]->subject_common_name());
    }
  }
  return out;
}

Result<UnixSeconds> check_ocsp(const OcspFindings& findings, const VerifyPolicy& policy,
                               UnixSeconds now) {
  const auto responders = responders_of(findings, policy.anchors);
  if (!responders) return std::unexpected(responders.error());
  const auto until = check_windows(findings, *responders, now);
  if (!until) return until;
  for (const OcspFound& found : findings) {
    if (auto good = check_status(found.answer.status); !good) return std::unexpected(good.error());
  }
  if (auto held = check_signatures(findings, *responders); !held) {
    return std::unexpected(held.error());
  }
  return *until;
}

Result<UnixSeconds> check_ocsp_authentic(const OcspFound& found, const VerifyPolicy& policy,
                                         UnixSeconds now) {
  const OcspFindings one = {found};
  const auto responders = responders_of(one, policy.anchors);
  if (!responders) return std::unexpected(responders.error());
  const auto until = check_windows(one, *responders, now);
  if (!until) return until;
  if (auto held = check_signatures(one, *responders); !held) return std::unexpected(held.error());
  return *until;
}

}  // namespace cloister::evidence::rim
