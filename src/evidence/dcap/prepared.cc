#include "evidence/dcap/prepared.h"

#include <algorithm>

namespace cloister::evidence::dcap {
namespace {

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

Result<std::shared_ptr<const Platform>> parse_platform(
    Bytes pem, std::span<const crypto::Certificate> authorities) {
  auto chain = parse_pck_chain(pem, authorities);
  if (!chain) return std::unexpected(chain.error());
  auto extension = pck_extension_of(chain->leaf);
  if (!extension) return std::unexpected(extension.error());
  return std::make_shared<const Platform>(std::move(*chain), *extension);
}

}  // namespace

Prepared::Prepared(const Collateral& collateral, std::shared_ptr<const PckChains> chains)
    : collateral_(collateral),
      chains_(std::move(chains)),
      tcb_infos_(parse_all(collateral.tcb_infos, &parse_tcb_info)),
      qe_identities_(parse_all(collateral.qe_identities, &parse_qe_identity)) {}

Result<std::shared_ptr<const Platform>> PckChains::platform(Bytes pck_chain_pem) const {
  std::vector<crypto::Certificate> authorities;
  {
    const std::lock_guard lock(mutex_);
    const auto known =
        std::ranges::find_if(seen_, [&](const Seen& s) { return equal(s.pem, pck_chain_pem); });
    if (known != seen_.end()) return known->platform;
    authorities = authorities_;
  }
  auto parsed = parse_platform(pck_chain_pem, authorities);
  if (!parsed) return parsed;
  const std::lock_guard lock(mutex_);
  seen_.push_back({to_buffer(pck_chain_pem), *parsed});
  if (seen_.size() > kMaxRememberedChains) seen_.pop_front();
  remember((*parsed)->chain.intermediate);
  remember((*parsed)->chain.root);
  return parsed;
}

void PckChains::remember(const crypto::Certificate& authority) const {
  const bool known = std::ranges::any_of(
      authorities_, [&](const auto& each) { return each.der() == authority.der(); });
  if (known) return;
  if (authorities_.size() == kMaxRememberedAuthorities) authorities_.erase(authorities_.begin());
  authorities_.push_back(authority);
}

}  // namespace cloister::evidence::dcap
