#include "ledger/types/governance.h"

#include <algorithm>

#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

std::string text_of(Bytes bytes) {
  return std::string(bytes.begin(), bytes.end());
}

template <typename T>
void add(std::vector<T>& list, T value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

void apply(NetworkPolicy& policy, const Restriction& restriction) {
  switch (restriction.kind) {
    case RestrictionKind::measurement:
      return add(policy.denied_measurements, restriction.value);
    case RestrictionKind::advisory:
      return add(policy.denied_advisories, text_of(restriction.value));
    case RestrictionKind::product:
      return add(policy.distrusted_products, text_of(restriction.value));
    case RestrictionKind::platform:
      return add(policy.denied_platforms, *to_fixed<32>(restriction.value));
    case RestrictionKind::format:
      return add(policy.paused_formats, restriction.value[0]);
  }
}

void restrict_to(std::vector<Restriction>& out, RestrictionKind kind,
                 const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    Restriction restriction;
    restriction.kind = kind;
    restriction.value = to_buffer(as_bytes(text));
    out.push_back(std::move(restriction));
  }
}

}  // namespace

bool valid(const Restriction& restriction) {
  const size_t size = restriction.value.size();
  switch (restriction.kind) {
    case RestrictionKind::measurement:
      return size > 0 && size <= kMaxMeasurementBytes;
    case RestrictionKind::advisory:
      return size > 0 && size <= kMaxAdvisoryBytes;
    case RestrictionKind::product:
      return size > 0 && size <= kMaxNameBytes;
    case RestrictionKind::platform:
      return size == sizeof(Hash32);
    case RestrictionKind::format:
      return size == 1;
  }
  return false;
}

PolicyLayers layers_of(const NetworkPolicy& policy) {
  PolicyLayers out;
  out.vendor.accepted_statuses = policy.accepted_statuses;
  out.vendor.min_tcb_evaluation_number = policy.min_tcb_evaluation_number;
  out.vendor.distrusted_products = policy.distrusted_products;
  out.releases = policy.releases;
  out.allow_development = policy.allow_development;
  restrict_to(out.restrictions, RestrictionKind::advisory, policy.denied_advisories);
  const auto restrict_one = [&](RestrictionKind kind, Buffer value) {
    Restriction restriction;
    restriction.kind = kind;
    restriction.value = std::move(value);
    out.restrictions.push_back(std::move(restriction));
  };
  for (const Buffer& m : policy.denied_measurements) restrict_one(RestrictionKind::measurement, m);
  for (const Hash32& p : policy.denied_platforms) {
    restrict_one(RestrictionKind::platform, to_buffer(p));
  }
  for (uint8_t f : policy.paused_formats) restrict_one(RestrictionKind::format, {f});
  return out;
}

NetworkPolicy merged(const PolicyLayers& layers, uint64_t version, uint64_t height) {
  NetworkPolicy out;
  out.version = version;
  out.accepted_statuses = layers.vendor.accepted_statuses;
  out.min_tcb_evaluation_number = layers.vendor.min_tcb_evaluation_number;
  out.distrusted_products = layers.vendor.distrusted_products;
  out.releases = layers.releases;
  out.allow_development = layers.allow_development;
  for (const Restriction& restriction : layers.restrictions) apply(out, restriction);
  for (const EmergencyPause& pause : layers.pauses) {
    if (height < pause.until_height) add(out.paused_formats, pause.format);
  }
  return out;
}

bool by_release_keys(ProposalKind kind) {
  return kind == ProposalKind::add_release || kind == ProposalKind::withdraw_release;
}

bool only_restricts(ProposalKind kind) {
  return kind == ProposalKind::restriction || kind == ProposalKind::revoke_instance;
}

ProposalId proposal_id(std::string_view chain_id, const AccountId& account, uint64_t nonce) {
  ByteWriter out = tagged("cloister proposal v1");
  out.bytes(chain_hash(chain_id)).bytes(account).u64_be(nonce);
  return crypto::sha256(out.view());
}

template struct Record<VendorPolicy>;
template struct Record<Restriction>;
template struct Record<EmergencyPause>;
template struct Record<PolicyLayers>;
template struct Record<Proposal>;
template struct Record<Ballot>;
template struct Record<Revocation>;
template struct Record<Withdrawal>;
template struct Record<Totals>;
template struct Record<Propose>;
template struct Record<Vote>;
template struct Record<ReleaseApprove>;
template struct Record<PauseFormat>;

}  // namespace cloister::ledger
