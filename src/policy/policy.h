// From verified claims and layered rules to one decision with every reason.
//
// Evidence verification says what is true (genuine hardware, this measurement, this firmware
// status); policy says whether that is enough. Layers are merged by taking the strictest, so a
// layer can only tighten what the layers before it allow: vendor, network, community (both on the
// ledger), local.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::policy {

enum class Layer : uint8_t { vendor = 1, network = 2, community = 3, local = 4 };
std::string_view name(Layer layer);

// A program that may serve: what its launch measures to on one kind of platform. Of devices, whose
// vendor's manifests say what runs on them, the least versions (evidence/common/version_floor.h).
struct Release {
  std::string name;  // "cloister-node 0.1.0"
  evidence::Format format{};
  Buffer measurement;                        // 48 bytes; of devices empty
  std::vector<Buffer> runtime_measurements;  // empty: not compared
  uint64_t valid_from_height = 0;
  uint64_t valid_until_height = UINT64_MAX;
  std::string min_driver{}, min_firmware{};  // of devices; empty: any
};
bool is_device(evidence::Format format);  // an NVIDIA GPU or switch

struct Rules {
  uint64_t version = 0;
  std::vector<evidence::TcbStatus> accepted_statuses;
  uint64_t min_tcb_evaluation_number = 0;
  std::vector<std::string> denied_advisories;
  std::vector<std::string> distrusted_products;
  std::vector<Release> releases;  // nothing outside this list is admitted
  bool allow_development = false;
  // What the community took back, each whatever the other rules say.
  std::vector<Buffer> denied_measurements;
  std::vector<Hash32> denied_platforms;  // as the ledger names machines
  std::vector<evidence::Format> paused_formats;
};

// Rules with which of the layers each expectation comes from. Only `strictest` combines them.
struct LayeredRules {
  Rules merged;
  Layer statuses_from = Layer::network;
  Layer releases_from = Layer::network;
  Layer development_from = Layer::network;
};

// The rules of `outer` tightened by `inner`; nothing that `outer` refuses becomes allowed.
LayeredRules layered(const Rules& network);
LayeredRules strictest(const LayeredRules& outer, const Rules& inner, Layer inner_layer);

// The statuses of 20-attestation section 6 that are accepted unless a layer says less.
std::vector<evidence::TcbStatus> default_accepted_statuses();

// Rules as the verifier's own policy: what it must refuse before this module sees the claims.
evidence::VerifyPolicy verify_policy(const Rules& rules, const evidence::TrustAnchors& anchors);

enum class Reason : uint8_t {
  tcb_status = 1,
  tcb_evaluation = 2,
  advisory = 3,
  product = 4,
  measurement = 5,
  development = 6,
  paused = 7,
  platform = 8,
};
std::string_view name(Reason reason);

struct Finding {
  Reason reason;
  Layer layer;
  bool ok;
  std::string expected;
  std::string found;
};

struct Decision {
  bool allowed = false;           // every finding is ok, and there is at least one
  std::vector<Finding> findings;  // all of them, also after the first refusal
  std::optional<Reason> first_refusal() const;
};

// What verification established of one platform, as the ledger keeps it.
struct Established {
  evidence::Format format{};
  evidence::TcbStatus status{};
  std::vector<std::string> advisories;
  uint64_t tcb_evaluation_number = 0;
  std::string product;
  Buffer measurement;
  std::vector<Buffer> runtime_measurements;
  std::string driver_version, firmware_version;  // of devices
  Hash32 platform{};                             // the ledger's name of the machine
  bool development = false;
};
Established established(const evidence::VerifiedEvidence& verified, const Hash32& platform);

// `height`: the ledger's height at which releases must be valid.
Decision decide(const evidence::VerifiedEvidence& verified, const Hash32& platform,
                const LayeredRules& rules, uint64_t height);
// The same for claims that were verified before, when the rules have changed since.
Decision decide_again(const Established& claims, const LayeredRules& rules, uint64_t height);

}  // namespace cloister::policy
