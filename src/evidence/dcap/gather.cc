#include "evidence/dcap/gather.h"

#include <algorithm>
#include <tuple>

namespace cloister::evidence::dcap {
namespace {

using crypto::Certificate;
using crypto::Crl;

template <typename T>
Result<std::vector<T>> parse_all(const std::vector<std::string>& documents,
                                 Result<T> (*parse)(std::string_view)) {
  std::vector<T> out;
  for (const std::string& document : documents) {
    auto parsed = parse(document);
    if (!parsed) return std::unexpected(parsed.error());
    out.push_back(std::move(*parsed));
  }
  return out;
}

// The candidate with the highest rank; the first of equals. Null when there is none.
template <typename T, typename Rank>
const T* best(const std::vector<T>& candidates, Rank rank) {
  const auto found = std::ranges::max_element(candidates, {}, rank);
  return found == candidates.end() ? nullptr : &*found;
}

bool within(UnixSeconds from, UnixSeconds now, UnixSeconds until) {
  return from <= now && now <= until;
}

const TcbInfo* choose_tcb_info(const std::vector<TcbInfo>& all, const PckExtension& platform,
                               UnixSeconds now) {
  return best(all, [&](const TcbInfo& info) {
    const bool same_platform = info.fmspc == platform.fmspc && info.pce_id == platform.pce_id;
    return std::tuple(info.tdx, same_platform, within(info.issue_date, now, info.next_update),
                      info.issue_date);
  });
}

const QeIdentity* choose_qe_identity(const std::vector<QeIdentity>& all, UnixSeconds now) {
  return best(all, [&](const QeIdentity& identity) {
    return std::tuple(identity.kind == QeKind::tdx,
                      within(identity.issue_date, now, identity.next_update), identity.issue_date);
  });
}

// By its name, and of the periods of one key the one that `now` falls into.
Result<Certificate> choose_tcb_signer(const Collateral& collateral, const Certificate& root,
                                      UnixSeconds now) {
  std::vector<Certificate> named;
  bool other_role = false;
  for (const Certificate& certificate : collateral.certificates) {
    if (certificate.subject_common_name() == kTcbSigningName) {
      named.push_back(certificate);
    } else if (certificate.issuer_der() == root.subject_der() && !certificate.self_issued()) {
      other_role = true;
    }
  }
  const Certificate* chosen = best(named, [&](const Certificate& c) {
    return std::tuple(within(c.not_before(), now, c.not_after()), c.not_before());
  });
  if (chosen != nullptr) return *chosen;
  if (other_role) return refuse(Error::wrong_chain, "the signer of TCB info has another role");
  return refuse(Error::collateral_missing, "no TCB signing certificate");
}

std::optional<Crl> choose_crl(const Collateral& collateral, const Certificate& issuer,
                              UnixSeconds now) {
  std::vector<Crl> issued;
  for (const Crl& crl : collateral.crls) {
    if (crl.issuer_der() == issuer.subject_der()) issued.push_back(crl);
  }
  const Crl* chosen = best(issued, [&](const Crl& crl) {
    return std::tuple(window_of("", crl).holds(now), crl.this_update());
  });
  return chosen == nullptr ? std::nullopt : std::optional(*chosen);
}

Result<void> choose_crls(const Collateral& collateral, UnixSeconds now, Inputs& out) {
  out.root_crl = choose_crl(collateral, out.pck.root, now);
  out.pck_crl = choose_crl(collateral, out.pck.intermediate, now);
  out.foreign_crl = std::ranges::any_of(collateral.crls, [&](const Crl& crl) {
    const Buffer issuer = crl.issuer_der();
    return issuer != out.pck.root.subject_der() && issuer != out.pck.intermediate.subject_der();
  });
  for (const auto* crl : {&out.root_crl, &out.pck_crl}) {
    if (!*crl) continue;
    if (const auto form = check_crl_form(**crl); !form) return form;
  }
  return {};
}

// The quote with its chain: what the choice of collateral goes by.
Result<Inputs> parse_evidence(Bytes bytes) {
  auto quote = parse_quote(bytes);
  if (!quote) return std::unexpected(quote.error());
  auto chain = parse_pck_chain(quote->pck_chain_pem);
  if (!chain) return std::unexpected(chain.error());
  auto platform = pck_extension_of(chain->leaf);
  if (!platform) return std::unexpected(platform.error());
  Inputs out{};
  out.quote = *quote;
  out.pck = std::move(*chain);
  out.platform = *platform;
  return out;
}

Result<void> check_complete(const Inputs& inputs, const VerifyPolicy& policy) {
  if (policy.allow_no_revocation) return {};
  if (!inputs.root_crl) return refuse(Error::collateral_missing, "no root CRL");
  // A list of another PCK CA is a mismatch, which is decided later.
  if (inputs.pck_crl || inputs.foreign_crl) return {};
  return refuse(Error::collateral_missing, "no CRL of the PCK CA");
}

}  // namespace

Result<Inputs> gather(Bytes bytes, const Collateral& collateral, const VerifyPolicy& policy,
                      UnixSeconds now) {
  auto out = parse_evidence(bytes);
  if (!out) return out;
  const auto infos = parse_all(collateral.tcb_infos, &parse_tcb_info);
  if (!infos) return std::unexpected(infos.error());
  const auto identities = parse_all(collateral.qe_identities, &parse_qe_identity);
  if (!identities) return std::unexpected(identities.error());
  if (const auto crls = choose_crls(collateral, now, *out); !crls) {
    return std::unexpected(crls.error());
  }
  const TcbInfo* info = choose_tcb_info(*infos, out->platform, now);
  const QeIdentity* identity = choose_qe_identity(*identities, now);
  if (info == nullptr) return refuse(Error::collateral_missing, "no TCB info");
  if (identity == nullptr) return refuse(Error::collateral_missing, "no QE identity");
  if (const auto complete = check_complete(*out, policy); !complete) {
    return std::unexpected(complete.error());
  }
  auto signer = choose_tcb_signer(collateral, out->pck.root, now);
  if (!signer) return std::unexpected(signer.error());
  out->tcb_info = *info;
  out->qe_identity = *identity;
  out->tcb_signer = std::move(*signer);
  return out;
}

}  // namespace cloister::evidence::dcap
