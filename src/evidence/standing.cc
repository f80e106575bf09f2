#include "evidence/standing.h"

#include <algorithm>
#include <set>

#include "evidence/collateral_parts.h"
#include "evidence/dcap/tcb_verdict.h"

namespace cloister::evidence {

// One object taken apart; one of the three is set.
struct StandingJudge::Object {
  std::optional<dcap::TcbInfo> tcb_info;
  std::optional<dcap::QeIdentity> qe_identity;
  std::optional<crypto::Crl> list;
  std::optional<Buffer> signer_serial;  // of a document
  std::set<Hash32> entries;             // of the list, by entry_id
};

namespace {

using dcap::Tee;

std::unexpected<Fall> fallen(Error error) {
  return std::unexpected(Fall{error, false});
}

// Of the only certificate among them that may sign documents; others may have come along.
std::optional<Buffer> signer_of(const std::vector<crypto::Certificate>& certificates) {
  for (const crypto::Certificate& certificate : certificates) {
    if (certificate.subject_common_name() == dcap::kTcbSigningName) return certificate.serial();
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> parsed(const std::vector<std::string>& documents,
                        Result<T> (*parse)(std::string_view)) {
  if (documents.empty()) return std::nullopt;
  auto out = parse(documents.front());
  return out ? std::optional(std::move(*out)) : std::nullopt;
}

std::optional<dcap::TcbInfo> tcb_info_of(const Collateral& object) {
  return parsed(object.tcb_infos, &dcap::parse_tcb_info);
}
std::optional<dcap::QeIdentity> qe_identity_of(const Collateral& object) {
  return parsed(object.qe_identities, &dcap::parse_qe_identity);
}

// The list's issuer came with it: the key by whose entries certificates are kept.
std::set<Hash32> entries_of(const crypto::Crl& list,
                            const std::vector<crypto::Certificate>& certificates) {
  std::set<Hash32> out;
  for (const crypto::Certificate& issuer : certificates) {
    if (issuer.subject_der() != list.issuer_der()) continue;
    const Hash32 key = issuer.spki_sha256();
    for (const Buffer& serial : list.revoked_serials()) out.insert(entry_id(key, serial));
  }
  return out;
}

}  // namespace

StandingJudge::StandingJudge(std::span<const HeldCollateral> collateral) {
  for (const HeldCollateral& held : collateral) {
    const auto files = sort_files(held.files);
    if (!files) continue;  // then what needs it lacks it
    auto object = std::make_unique<Object>();
    object->tcb_info = tcb_info_of(files->object);
    object->qe_identity = qe_identity_of(files->object);
    object->signer_serial = signer_of(files->certificates);
    if (!files->object.crls.empty()) {
      object->list = files->object.crls.front();
      object->entries = entries_of(*object->list, files->certificates);
    }
    objects_[held.name] = std::move(object);
  }
}

StandingJudge::~StandingJudge() = default;

const StandingJudge::Object* StandingJudge::find(const CollateralName& name) const {
  const auto at = objects_.find(name);
  return at == objects_.end() ? nullptr : at->second.get();
}

std::expected<Restanding, Fall> StandingJudge::judge(const Standing& standing) const {
  const bool intel = standing.format == Format::tdx_quote || standing.format == Format::sgx_quote;
  if (!intel && standing.format != Format::snp_report) return fallen(Error::malformed);
  if (standing.certificates.empty()) return fallen(Error::malformed);
  Fall fall;
  for (const Revocable& certificate : standing.certificates) {
    const Object* list = find(crl_name(standing.root_key, certificate.list_issuer));
    if (list == nullptr || !list->list) return fallen(Error::collateral_missing);
    if (!list->entries.contains(certificate.entry)) continue;
    fall.error = Error::revoked;
    fall.key_revoked = fall.key_revoked || certificate.of_platform;
  }
  if (fall.error == Error::revoked) return std::unexpected(fall);
  if (intel) return judge_intel(standing);
  return Restanding{TcbStatus::up_to_date, {}, 0};
}

bool StandingJudge::signer_revoked(const Object& document, const Object& root_list) const {
  return document.signer_serial && root_list.list->lists(*document.signer_serial);
}

std::expected<Restanding, Fall> StandingJudge::judge_intel(const Standing& standing) const {
  const auto facts = dcap::TcbFacts::decode(standing.tcb);
  const Tee tee = standing.format == Format::tdx_quote ? Tee::tdx : Tee::sgx;
  if (!facts || facts->tee != tee) return fallen(Error::malformed);
  const Hash32& root = standing.root_key;
  const Object* info = find(tcb_info_name(tee, root, facts->fmspc, facts->pce_id));
  const Object* identity = find(qe_identity_name(tee, root));
  const Object* root_list = find(crl_name(root, root));
  if (info == nullptr || !info->tcb_info || identity == nullptr || !identity->qe_identity ||
      root_list == nullptr || !root_list->list) {
    return fallen(Error::collateral_missing);
  }
  if (signer_revoked(*info, *root_list) || signer_revoked(*identity, *root_list)) {
    return fallen(Error::revoked);
  }
  const auto checked = check_identities(*info->tcb_info, *identity->qe_identity, *facts);
  if (!checked) return fallen(checked.error().error);
  auto verdict = judge_tcb(*info->tcb_info, *identity->qe_identity, *facts);
  if (!verdict) return fallen(verdict.error().error);
  if (verdict->status == TcbStatus::revoked) return fallen(Error::tcb_status);
  return Restanding{verdict->status, std::move(verdict->advisories),
                    info->tcb_info->evaluation_number};
}

bool judges_alike(std::span<const Buffer> earlier, std::span<const Buffer> later) {
  const auto a = sort_files(earlier), b = sort_files(later);
  if (!a || !b) return false;
  // Of an endorsement key nothing is judged that its name does not say.
  if (!a->object.certificates.empty()) return !b->object.certificates.empty();
  if (!a->object.crls.empty() && !b->object.crls.empty()) {
    return a->object.crls.front().revoked_serials() == b->object.crls.front().revoked_serials();
  }
  if (signer_of(a->certificates) != signer_of(b->certificates)) return false;
  const auto info = tcb_info_of(a->object), newer_info = tcb_info_of(b->object);
  if (info && newer_info) return dcap::judges_alike(*info, *newer_info);
  const auto identity = qe_identity_of(a->object), newer_identity = qe_identity_of(b->object);
  return identity && newer_identity && dcap::judges_alike(*identity, *newer_identity);
}

}  // namespace cloister::evidence
