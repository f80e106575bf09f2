#include <algorithm>
#include <map>
#include <utility>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

bool before(const HeightShare& a, const HeightShare& b) {
  return std::pair(a.height, a.share.index) < std::pair(b.height, b.share.index);
}

std::vector<BeaconShare>::const_iterator place_of(const Beacon& beacon, uint16_t index) {
  return std::lower_bound(beacon.shares.begin(), beacon.shares.end(), index,
                          [](const BeaconShare& have, uint16_t i) { return have.index < i; });
}

bool has_share(const Beacon& beacon, uint16_t index) {
  const auto place = place_of(beacon, index);
  return place != beacon.shares.end() && place->index == index;
}

void add_share(Beacon& beacon, const BeaconShare& share) {
  beacon.shares.insert(place_of(beacon, share.index), share);
}

}  // namespace

// Open from the block of its own height, when no request that it decides can be added any more,
// until the requests that wait for it have expired.
bool beacon_wanted(const Beacon& beacon, const Params& params, uint64_t height) {
  return !beacon.value && beacon.height <= height &&
         height - beacon.height < params.request_lifetime_blocks;
}

void want_beacon(Context& c, uint64_t beacon_height) {
  if (c.beacon(beacon_height)) return;
  Beacon beacon;
  beacon.height = beacon_height;
  c.put(beacon);
}

DrawBeacon draw_beacon(const Context& c, uint64_t frozen_height) {
  DrawBeacon out;
  if (const auto beacon = c.beacon(frozen_height + 1)) out.value = beacon->value;
  out.too_late = !out.value && c.height - frozen_height >= c.params.request_lifetime_blocks;
  return out;
}

Code check_beacon_shares(const Store& store, const Genesis& genesis, const Params& params,
                         uint64_t height, const BeaconShares& shares) {
  if (shares.entries.empty()) return Code::malformed;
  std::optional<Beacon> beacon;
  size_t held = 0;
  for (size_t i = 0; i < shares.entries.size(); ++i) {
    const uint64_t of = shares.entries[i].height;
    const BeaconShare& share = shares.entries[i].share;
    if (i > 0 && !before(shares.entries[i - 1], shares.entries[i])) return Code::malformed;
    if (!beacon || beacon->height != of) {
      const auto value = store.get(Family::beacon, number_key(of));
      beacon = value ? Beacon::decode(*value) : std::nullopt;
      if (!beacon || !beacon_wanted(*beacon, params, height)) return Code::beacon_not_wanted;
      held = beacon->shares.size();
    }
    if (has_share(*beacon, share.index)) return Code::beacon_duplicate;
    if (++held > genesis.beacon.threshold) return Code::beacon_not_wanted;
    if (!verify_beacon_share(genesis.chain_id, genesis.beacon, of, share)) {
      return Code::beacon_bad_share;
    }
  }
  return Code::ok;
}

Verdict apply_beacon_shares(Context& c, const BeaconShares& shares) {
  const Code checked = check_beacon_shares(c.store, c.genesis, c.params, c.height, shares);
  if (checked != Code::ok) return checked;
  for (const HeightShare& entry : shares.entries) {
    auto beacon = c.beacon(entry.height);
    invariant(beacon.has_value(), "a beacon that is wanted has no record");
    add_share(*beacon, entry.share);
    if (beacon->shares.size() == c.genesis.beacon.threshold) {
      beacon->value = combine_beacon(c.chain_id(), c.genesis.beacon, entry.height, beacon->shares);
      invariant(beacon->value.has_value(), "verified shares do not combine");
      c.emit("beacon.value",
             {{"height", std::to_string(entry.height)}, {"value", to_hex(*beacon->value)}});
    }
    c.put(*beacon);
  }
  return Code::ok;
}

// --- what the drivers of blocks ask --------------------------------------------------------------

std::vector<uint64_t> State::beacons_wanted(uint64_t height) const {
  std::vector<uint64_t> out;
  const uint64_t span = params_.request_lifetime_blocks;
  for (uint64_t h = height > span ? height - span : 0; h <= height; ++h) {
    const auto value = store_.get(Family::beacon, number_key(h));
    const auto beacon = value ? Beacon::decode(*value) : std::nullopt;
    if (beacon && beacon_wanted(*beacon, params_, height)) out.push_back(h);
  }
  return out;
}

Code State::check_front(uint64_t height, Bytes tx) const {
  const auto shares = read_beacon_shares(tx);
  return shares ? check_beacon_shares(store_, genesis_, params_, height, *shares) : Code::ok;
}

std::optional<Buffer> State::front(uint64_t height, std::span<const BeaconShares> offered) const {
  std::map<std::pair<uint64_t, uint16_t>, BeaconShare> good;
  std::map<uint64_t, size_t> missing;
  for (uint64_t wanted : beacons_wanted(height)) {
    const auto beacon = Beacon::decode(*store_.get(Family::beacon, number_key(wanted)));
    missing[wanted] = genesis_.beacon.threshold - beacon->shares.size();
  }
  for (const BeaconShares& from : offered) {
    // A validator has one share a height, in ascending order: what follows anything else is not
    // read, so that an offer costs no more proofs than there are heights.
    std::optional<uint64_t> last;
    for (const HeightShare& entry : from.entries) {
      if (last && entry.height <= *last) break;
      last = entry.height;
      const auto wanted = missing.find(entry.height);
      if (wanted == missing.end() || wanted->second == 0) continue;
      if (good.size() == kMaxBeaconShares) break;
      BeaconShares alone;
      alone.entries = {entry};
      if (good.contains({entry.height, entry.share.index}) ||
          check_beacon_shares(store_, genesis_, params_, height, alone) != Code::ok) {
        continue;
      }
      good[{entry.height, entry.share.index}] = entry.share;
      --wanted->second;
    }
  }
  if (good.empty()) return std::nullopt;
  BeaconShares out;
  for (const auto& [at, share] : good) out.entries.push_back({{}, at.first, share});
  return out.encode();
}

BeaconShares State::shares_of(uint64_t height, const BeaconSecret& secret) const {
  BeaconShares out;
  for (uint64_t wanted : beacons_wanted(height)) {
    if (out.entries.size() == kMaxBeaconShares) break;
    out.entries.push_back(
        {{}, wanted, make_beacon_share(genesis_.chain_id, genesis_.beacon.epoch, wanted, secret)});
  }
  return out;
}

}  // namespace cloister::ledger
