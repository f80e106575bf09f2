#include <algorithm>

#include "ledger/types/account.h"
#include "ledger/types/codec.h"
#include "ledger/types/collateral.h"
#include "ledger/types/domain.h"
#include "ledger/types/instance.h"
#include "ledger/types/keys.h"
#include "ledger/types/session.h"

namespace cloister::ledger {
namespace {

template <typename T>
bool strictly_ascending(const std::vector<T>& list) {
  for (size_t i = 1; i < list.size(); ++i) {
    if (!(list[i - 1] < list[i])) return false;
  }
  return true;
}

bool contains(const std::vector<uint8_t>& list, uint8_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

bool valid(const Params& p) {
  const uint64_t blocks[] = {p.evidence_max_age_blocks,
                             p.instance_lifetime_blocks,
                             p.request_lifetime_blocks,
                             p.confirm_deadline_blocks,
                             p.max_session_lifetime_blocks,
                             p.settle_window_blocks,
                             p.history_blocks,
                             p.unbond_blocks,
                             p.voting_blocks,
                             p.timelock_blocks,
                             p.pause_blocks,
                             p.epoch_blocks,
                             p.open_blocks,
                             p.verdict_blocks,
                             p.reveal_blocks,
                             p.appeal_blocks};
  for (uint64_t count : blocks) {
    if (count == 0 || count > kMaxBlocks) return false;
  }
  for (uint32_t permille :
       {p.slash_user_permille, p.slash_finder_permille, p.treasury_permille, p.quorum_permille,
        p.check_permille, p.dishonest_permille, p.check_reserve_permille}) {
    if (permille > kPermille) return false;
  }
  if (p.treasury_permille + p.check_reserve_permille > kPermille) return false;
  if (p.check_size == 0 || p.check_size > kMaxCheckSize) return false;
  if (p.reference_units == 0 || p.reference_units > kMaxBlocks) return false;
  if (!deterrent(p)) return false;
  // A check is drawn and opened before the epoch after its batch is over: until then its session
  // remembers what it paid.
  if (p.request_lifetime_blocks > p.epoch_blocks ||
      p.open_blocks > p.epoch_blocks - p.request_lifetime_blocks) {
    return false;
  }
  // A request is drawn two blocks later at the earliest; the ledger must still know the blocks that
  // evidence may name and the beacons that requests wait for; a stake that moved must not vote
  // again.
  return p.request_lifetime_blocks > 2 && p.history_blocks >= p.evidence_max_age_blocks &&
         p.history_blocks >= p.request_lifetime_blocks && p.unbond_blocks >= p.voting_blocks &&
         p.quorum_permille > 0 && p.max_redraws <= kMaxExcluded && p.validator_stake_micro > 0 &&
         p.reputation_start <= kMaxReputation;
}

bool deterrent(const Params& p) {
  using Wide = unsigned __int128;
  const uint64_t slash =
      std::min({p.mismatch_slash_micro, p.unopened_slash_micro, p.uncommitted_slash_micro});
  // It fits: permille × permille × 2^65.
  const Wide at_risk = Wide{p.answer_pay_micro} + slash;
  return Wide{p.check_permille} * (kPermille - p.dishonest_permille) * at_risk >
         Wide{p.answer_cost_micro} * kPermille * kPermille;
}

bool valid(const Model& model, const Params& params) {
  const uint32_t network = params.treasury_permille + params.check_reserve_permille;
  const bool share_fits =
      model.owner_permille <= kPermille - network && (model.owner_permille == 0 || model.owner);
  const bool sealed = model.access == ModelAccess::sealed;
  return !model.name.empty() && share_fits && sealed != all_zero(model.key_policy_sha256);
}

AccountId treasury_account() {
  return crypto::sha256(tagged("cloister treasury v1").view());
}

Hash32 evidence_hash(std::span<const EvidenceItem> items) {
  ByteWriter out = tagged("cloister evidence v1");
  for (const EvidenceItem& item : items) {
    out.u8(item.format).u32_be(static_cast<uint32_t>(item.bytes.size())).bytes(item.bytes);
  }
  return crypto::sha256(out.view());
}

Hash32 platform_id_hash(std::string_view chain_id, uint8_t format, Bytes platform_id) {
  ByteWriter out = tagged("cloister platform v1");
  out.bytes(chain_hash(chain_id)).u8(format).bytes(platform_id);
  return crypto::sha256(out.view());
}

const Offer* Instance::offer_for(const ModelRoot& model_root) const {
  for (const Offer& offer : offers) {
    if (offer.model_root == model_root) return &offer;
  }
  return nullptr;
}

bool valid(const Release& release) {
  const bool device = release.format == kNvidiaGpuFormat || release.format == kNvidiaSwitchFormat;
  const bool versions = !release.min_driver.empty() || !release.min_firmware.empty();
  return !release.name.empty() && release.valid_from_height <= release.valid_until_height &&
         release.measurement.empty() == device && (device || !versions);
}

bool valid(const Requirement& requirement) {
  return strictly_ascending(requirement.formats) && strictly_ascending(requirement.tcb_statuses) &&
         (requirement.diversity == 1 || requirement.diversity == 2);
}

std::vector<uint8_t> vendor_formats(const Instance& instance) {
  // Intel: TDX and SGX; AMD; AWS; Arm (evidence/common/evidence.h).
  static const std::vector<uint8_t> kVendors[] = {{1, 2}, {3}, {8}, {9}};
  std::vector<uint8_t> out;
  for (const auto& formats : kVendors) {
    const bool made_one =
        std::any_of(instance.platforms.begin(), instance.platforms.end(),
                    [&](const Platform& platform) { return contains(formats, platform.format); });
    if (made_one) out.insert(out.end(), formats.begin(), formats.end());
  }
  return out;
}

bool apart(const Instance& a, const Instance& b) {
  const auto vendors = vendor_formats(a);
  return a.operator_account != b.operator_account &&
         std::none_of(b.platforms.begin(), b.platforms.end(),
                      [&](const Platform& platform) { return contains(vendors, platform.format); });
}

bool meets(const Instance& instance, const Requirement& requirement) {
  bool format_found = requirement.formats.empty(), gpu_found = !requirement.gpu;
  for (const Platform& platform : instance.platforms) {
    format_found = format_found || contains(requirement.formats, platform.format);
    gpu_found = gpu_found || platform.format == kNvidiaGpuFormat;
    if (!requirement.tcb_statuses.empty() &&
        !contains(requirement.tcb_statuses, platform.tcb_status)) {
      return false;
    }
  }
  return format_found && gpu_found;
}

SessionId session_id(std::string_view chain_id, const AccountId& account, uint64_t nonce) {
  ByteWriter out = tagged("cloister session v1");
  out.bytes(chain_hash(chain_id)).bytes(account).u64_be(nonce);
  return crypto::sha256(out.view());
}

SessionId twin_id(const SessionId& first) {
  ByteWriter out = tagged("cloister twin v1");
  return crypto::sha256(out.bytes(first).view());
}

std::optional<uint64_t> cost_micro(uint64_t units, uint64_t price_micro) {
  using Wide = unsigned __int128;
  const Wide cost = (Wide{units} * price_micro + kUnitsPerPrice - 1) / kUnitsPerPrice;
  if (cost > UINT64_MAX) return std::nullopt;
  return static_cast<uint64_t>(cost);
}

template struct Record<Params>;
template struct Record<Model>;
template struct Record<Release>;
template struct Record<NetworkPolicy>;
template struct Record<Account>;
template struct Record<Unbonding>;
template struct Record<Operator>;
template struct Record<CollateralRecord>;
template struct Record<BlockRef>;
template struct Record<EvidenceItem>;
template struct Record<Platform>;
template struct Record<Offer>;
template struct Record<Standings>;
template struct Record<Instance>;
template struct Record<KeyConfig>;
template struct Record<KeySet>;
template struct Record<Requirement>;
template struct Record<SettledRange>;
template struct Record<Session>;

}  // namespace cloister::ledger
