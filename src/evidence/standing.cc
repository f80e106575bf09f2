#include "evidence/standing.h"

#include <algorithm>
#include <set>

#include "crypto/ocsp.h"
#include "evidence/collateral_parts.h"
#include "evidence/dcap/tcb_verdict.h"
#include "evidence/nvidia/manifest_facts.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence {

namespace {

struct ManifestParts {
  Hash32 goldens{};                            // nvidia::goldens_digest
  std::vector<CollateralName> answers_needed;  // about its signers
  bool operator==(const ManifestParts&) const = default;
};

}  // namespace

// One object taken apart; one of the five is set.
struct StandingJudge::Object {
  std::optional<dcap::TcbInfo> tcb_info;
  std::optional<dcap::QeIdentity> qe_identity;
  std::optional<crypto::Crl> list;
  std::optional<crypto::OcspStatus> answer;
  std::optional<ManifestParts> manifest;
  std::optional<Buffer> signer_serial;  // of a document
  std::set<Hash32> entries;             // of the list, by entry_id

  static std::unique_ptr<const Object> of(std::span<const Buffer> files);
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

// What the answer says of the certificate that came with it.
std::optional<crypto::OcspStatus> status_of(const CollateralFiles& files) {
  if (files.object.ocsp_responses.empty() || files.certificates.size() < 2) return std::nullopt;
  const auto response = crypto::OcspResponse::from_der(files.object.ocsp_responses.front());
  if (!response) return std::nullopt;
  const auto answer = response->answer_for(files.certificates[0], files.certificates[1]);
  return answer ? std::optional(answer->status) : std::nullopt;
}

std::optional<ManifestParts> manifest_of(const Collateral& object) {
  if (object.rims.empty()) return std::nullopt;
  const auto swid = rim::parse_swid(object.rims.front());
  if (!swid) return std::nullopt;
  return ManifestParts{nvidia::goldens_digest(swid->goldens),
                       answers_about(swid->signature.certificates, 0)};
}

}  // namespace

StandingJudge::StandingJudge(HeldCollateral collateral) : collateral_(std::move(collateral)) {}

StandingJudge::~StandingJudge() = default;

std::unique_ptr<const StandingJudge::Object> StandingJudge::Object::of(
    std::span<const Buffer> held) {
  const auto files = sort_files(held);
  if (!files) return nullptr;  // then what needs it lacks it
  auto object = std::make_unique<Object>();
  object->tcb_info = tcb_info_of(files->object);
  object->qe_identity = qe_identity_of(files->object);
  object->signer_serial = signer_of(files->certificates);
  if (!files->object.crls.empty()) {
    object->list = files->object.crls.front();
    object->entries = entries_of(*object->list, files->certificates);
  }
  object->answer = status_of(*files);
  object->manifest = manifest_of(files->object);
  return object;
}

const StandingJudge::Object* StandingJudge::find(const CollateralName& name) {
  const auto known = objects_.find(name);
  if (known != objects_.end()) return known->second.get();
  const auto held = collateral_(name);
  return objects_.emplace(name, held ? Object::of(*held) : nullptr).first->second.get();
}

std::expected<Restanding, Fall> StandingJudge::judge(const Standing& standing) {
  if (standing.certificates.empty()) return fallen(Error::malformed);
  switch (standing.format) {
    case Format::tdx_quote:
    case Format::sgx_quote: {
      const auto listed = check_lists(standing);
      return listed ? judge_intel(standing) : std::unexpected(listed.error());
    }
    case Format::snp_report: {
      const auto listed = check_lists(standing);
      if (!listed) return std::unexpected(listed.error());
      return Restanding{TcbStatus::up_to_date, {}, 0};
    }
    case Format::nvidia_gpu:
    case Format::nvidia_switch:
      return judge_nvidia(standing);
    default:
      return fallen(Error::malformed);
  }
}

std::expected<void, Fall> StandingJudge::check_lists(const Standing& standing) {
  Fall fall;
  for (const Revocable& certificate : standing.certificates) {
    const Object* list = find(crl_name(standing.root_key, certificate.list_issuer));
    if (list == nullptr || !list->list) return fallen(Error::collateral_missing);
    if (!list->entries.contains(certificate.entry)) continue;
    fall.error = Error::revoked;
    fall.key_revoked = fall.key_revoked || certificate.of_platform;
  }
  if (fall.error == Error::revoked) return std::unexpected(fall);
  return {};
}

// On hold and unknown are not good, and no word against this very machine either.
std::expected<void, Fall> StandingJudge::check_answers(const Standing& standing) {
  Fall fall;
  for (const Revocable& certificate : standing.certificates) {
    const Object* held = find(answer_name(standing.root_key, certificate.entry));
    if (held == nullptr || !held->answer) return fallen(Error::collateral_missing);
    if (*held->answer == crypto::OcspStatus::good) continue;
    const bool revoked = *held->answer == crypto::OcspStatus::revoked;
    fall.error = Error::revoked;
    fall.key_revoked = fall.key_revoked || (certificate.of_platform && revoked);
  }
  if (fall.error == Error::revoked) return std::unexpected(fall);
  return {};
}

std::expected<void, Fall> StandingJudge::check_signers(const std::vector<CollateralName>& answers) {
  for (const CollateralName& name : answers) {
    const Object* held = find(name);
    if (held == nullptr || !held->answer) return fallen(Error::collateral_missing);
    if (*held->answer != crypto::OcspStatus::good) return fallen(Error::revoked);
  }
  return {};
}

// The measurements are not kept, so a manifest that names other goldens than those that were
// compared needs the device's evidence anew.
std::expected<Restanding, Fall> StandingJudge::judge_nvidia(const Standing& standing) {
  const auto facts = nvidia::decode_manifest_facts(standing.facts);
  if (!facts || facts->empty()) return fallen(Error::malformed);
  if (auto good = check_answers(standing); !good) return std::unexpected(good.error());
  for (const nvidia::ManifestFact& fact : *facts) {
    const Object* held = find(manifest_name(fact.root_key, fact.subject));
    if (held == nullptr || !held->manifest) return fallen(Error::collateral_missing);
    auto good = check_signers(held->manifest->answers_needed);
    if (!good) return std::unexpected(good.error());
    if (held->manifest->goldens != fact.goldens) return fallen(Error::measurement_mismatch);
  }
  return Restanding{TcbStatus::up_to_date, {}, 0};
}

bool StandingJudge::signer_revoked(const Object& document, const Object& root_list) const {
  return document.signer_serial && root_list.list->lists(*document.signer_serial);
}

std::expected<Restanding, Fall> StandingJudge::judge_intel(const Standing& standing) {
  const auto facts = dcap::TcbFacts::decode(standing.facts);
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
  if (const auto status = status_of(*a)) return status == status_of(*b);
  if (const auto manifest = manifest_of(a->object)) return manifest == manifest_of(b->object);
  if (signer_of(a->certificates) != signer_of(b->certificates)) return false;
  const auto info = tcb_info_of(a->object), newer_info = tcb_info_of(b->object);
  if (info && newer_info) return dcap::judges_alike(*info, *newer_info);
  const auto identity = qe_identity_of(a->object), newer_identity = qe_identity_of(b->object);
  return identity && newer_identity && dcap::judges_alike(*identity, *newer_identity);
}

}  // namespace cloister::evidence
