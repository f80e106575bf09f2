#include "evidence/dcap/gather.h"

#include <algorithm>
#include <tuple>

namespace cloister::evidence::dcap {
namespace {

using crypto::Certificate;
using crypto::Crl;

// The candidate with the highest rank; the first of equals. Null when there is none.
template <typename T, typename Rank>
const T* best(const std::vector<T>& candidates, Rank rank) {
  const auto found = std::ranges::max_element(candidates, {}, rank);
  return found == candidates.end() ? nullptr : &*found;
}

bool within(UnixSeconds from, UnixSeconds now, UnixSeconds until) {
  return from <= now && now <= until;
}

const TcbInfo* choose_tcb_info(const std::vector<TcbInfo>& all, Tee tee,
                               const PckExtension& platform, UnixSeconds now) {
  return best(all, [&](const TcbInfo& info) {
    const bool same_platform = info.fmspc == platform.fmspc && info.pce_id == platform.pce_id;
    return std::tuple(info.tee == tee, same_platform,
                      within(info.issue_date, now, info.next_update), info.issue_date);
  });
}

const QeIdentity* choose_qe_identity(const std::vector<QeIdentity>& all, Tee tee, UnixSeconds now) {
  return best(all, [&](const QeIdentity& identity) {
    return std::tuple(identity.tee == tee, within(identity.issue_date, now, identity.next_update),
                      identity.issue_date);
  });
}

// By its name, and of the periods of one key the one that `now` falls into.
Result<const Certificate*> choose_tcb_signer(const Collateral& collateral, const Certificate& root,
                                             UnixSeconds now) {
  const Certificate* chosen = nullptr;
  bool other_role = false;
  const auto rank = [&](const Certificate& c) {
    return std::tuple(within(c.not_before(), now, c.not_after()), c.not_before());
  };
  for (const Certificate& certificate : collateral.certificates) {
    if (certificate.subject_common_name() == kTcbSigningName) {
      if (chosen == nullptr || rank(certificate) > rank(*chosen)) chosen = &certificate;
    } else if (certificate.issuer_der() == root.subject_der() && !certificate.self_issued()) {
      other_role = true;
    }
  }
  if (chosen != nullptr) return chosen;
  if (other_role) return refuse(Error::wrong_chain, "the signer of TCB info has another role");
  return refuse(Error::collateral_missing, "no TCB signing certificate");
}

const Crl* choose_crl(const Collateral& collateral, const Certificate& issuer, UnixSeconds now) {
  const Crl* chosen = nullptr;
  const auto rank = [&](const Crl& crl) {
    return std::tuple(window_of("", crl).holds(now), crl.this_update());
  };
  for (const Crl& crl : collateral.crls) {
    if (crl.issuer_der() != issuer.subject_der()) continue;
    if (chosen == nullptr || rank(crl) > rank(*chosen)) chosen = &crl;
  }
  return chosen;
}

Result<void> choose_crls(const Collateral& collateral, UnixSeconds now, Inputs& out) {
  const PckChain& pck = out.platform->chain;
  out.root_crl = choose_crl(collateral, pck.root, now);
  out.pck_crl = choose_crl(collateral, pck.intermediate, now);
  out.foreign_crl = std::ranges::any_of(collateral.crls, [&](const Crl& crl) {
    return crl.issuer_der() != pck.root.subject_der() &&
           crl.issuer_der() != pck.intermediate.subject_der();
  });
  for (const Crl* crl : {out.root_crl, out.pck_crl}) {
    if (crl == nullptr) continue;
    if (const auto form = check_crl_form(*crl); !form) return form;
  }
  return {};
}

Result<void> check_complete(const Inputs& inputs, const VerifyPolicy& policy) {
  if (policy.allow_no_revocation) return {};
  if (inputs.root_crl == nullptr) return refuse(Error::collateral_missing, "no root CRL");
  // A list of another PCK CA is a mismatch, which is decided later.
  if (inputs.pck_crl != nullptr || inputs.foreign_crl) return {};
  return refuse(Error::collateral_missing, "no CRL of the PCK CA");
}

// The quote with its chain: what the choice of collateral goes by.
Result<Inputs> parse_evidence(Bytes bytes, Tee tee, const Prepared& prepared) {
  auto quote = parse_quote(bytes, tee);
  if (!quote) return std::unexpected(quote.error());
  auto platform = prepared.chains().platform(quote->pck_chain_pem);
  if (!platform) return std::unexpected(platform.error());
  Inputs out;
  out.quote = *quote;
  out.platform = std::move(*platform);
  return out;
}

}  // namespace

Result<Inputs> gather(Bytes bytes, Tee tee, const Prepared& prepared, const VerifyPolicy& policy,
                      UnixSeconds now) {
  auto out = parse_evidence(bytes, tee, prepared);
  if (!out) return out;
  const auto& infos = prepared.tcb_infos();
  if (!infos) return std::unexpected(infos.error());
  const auto& identities = prepared.qe_identities();
  if (!identities) return std::unexpected(identities.error());
  const Collateral& collateral = prepared.collateral();
  if (const auto crls = choose_crls(collateral, now, *out); !crls) {
    return std::unexpected(crls.error());
  }
  out->tcb_info = choose_tcb_info(*infos, tee, out->platform->extension, now);
  out->qe_identity = choose_qe_identity(*identities, tee, now);
  if (out->tcb_info == nullptr) return refuse(Error::collateral_missing, "no TCB info");
  if (out->qe_identity == nullptr) return refuse(Error::collateral_missing, "no QE identity");
  if (const auto complete = check_complete(*out, policy); !complete) {
    return std::unexpected(complete.error());
  }
  const auto signer = choose_tcb_signer(collateral, out->platform->chain.root, now);
  if (!signer) return std::unexpected(signer.error());
  out->tcb_signer = *signer;
  return out;
}

}  // namespace cloister::evidence::dcap
