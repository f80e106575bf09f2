#include <algorithm>

#include "ledger/state/context.h"

namespace cloister::ledger {

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

Verdict apply_beacon_share(Context& c, const Tx& tx, const PutBeaconShare& body) {
  auto beacon = c.beacon(body.height);
  if (!beacon || !beacon_wanted(*beacon, c.params, c.height)) return Code::beacon_not_wanted;
  const BeaconShare& share = body.share;
  const auto& validators = c.genesis.validators;
  if (share.index == 0 || share.index > validators.size() ||
      validators[share.index - 1u].public_key != tx.account) {
    return Code::not_validator;
  }
  const auto place =
      std::lower_bound(beacon->shares.begin(), beacon->shares.end(), share.index,
                       [](const BeaconShare& have, uint16_t index) { return have.index < index; });
  if (place != beacon->shares.end() && place->index == share.index) {
    return Code::beacon_duplicate;
  }
  if (!verify_beacon_share(c.chain_id(), c.genesis.beacon, body.height, share)) {
    return Code::beacon_bad_share;
  }
  beacon->shares.insert(place, share);
  if (beacon->shares.size() == c.genesis.beacon.threshold) {
    beacon->value = combine_beacon(c.chain_id(), c.genesis.beacon, body.height, beacon->shares);
    invariant(beacon->value.has_value(), "verified shares do not combine");
    c.emit("beacon.value",
           {{"height", std::to_string(body.height)}, {"value", to_hex(*beacon->value)}});
  }
  c.put(*beacon);
  return Code::ok;
}

}  // namespace cloister::ledger
