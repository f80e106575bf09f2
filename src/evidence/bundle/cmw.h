// Evidence of several devices, and perhaps what vendors signed about them, in one file: a
// collection of conceptual messages (RFC 9999, CMW), in JSON or CBOR.
//
//   {"cpu": ["application/vnd.cloister.tdx-quote", "BAACAIEA…", 4],
//    "gpus": {"0": ["application/vnd.cloister.nvidia-gpu", "EeAB…", 4], …},
//    "chain": ["application/pem-certificate-chain", "LS0t…", 2]}
//
// A record is [type, value, indicator?]; the indicator has bit 0 for reference values, bit 1 for
// endorsements, bit 2 for evidence.
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence::bundle {

constexpr size_t kMaxBundleBytes = 1 << 20;
constexpr size_t kMaxRecords = 128;
constexpr size_t kMaxItems = 40;  // of evidence: 32 NVIDIA devices and a few others
constexpr size_t kMaxLabelBytes = 64;
constexpr size_t kMaxDepth = 4;  // of collections within collections

struct Item {
  std::string label;  // of inner collections "gpus/0"
  Evidence evidence;
};

struct Bundle {
  std::vector<Item> items;         // at least one, labels unique
  std::vector<Buffer> collateral;  // files as Collateral::add takes them
};

// A record by itself counts as a collection of one, labelled "0". `malformed`: another shape, past
// a limit, no evidence, a label twice or reserved, a value that is not base64url. `unsupported`: a
// type that is none of ours and not said to be an endorsement or reference values, a type by its
// CoAP number, a record as a CBOR tag, results of somebody's appraisal. Nothing is left out
// silently.
Result<Bundle> read_bundle(Bytes bytes);

// Labels with a slash become collections within the collection again.
std::string to_json(const Bundle& bundle);
Buffer to_cbor(const Bundle& bundle);

}  // namespace cloister::evidence::bundle
