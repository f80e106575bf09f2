// Everything that one answer rests on, as received: genesis, signed headers, proven records,
// evidence, the connection's binding and the signed receipt. No text of the user. A bundle is a
// claim, nothing in it is believed: `evaluate` (report.h) verifies all of it again, offline, years
// later.
#pragma once

#include <expected>

#include "channel/sealed/profile.h"
#include "ledger/types/genesis.h"
#include "ledger/types/instance.h"
#include "ledger/types/receipt.h"
#include "light/json_form.h"

namespace cloister::trust {

constexpr size_t kMaxBundleBytes = 4 << 20;
constexpr size_t kMaxBlocks = 32;
constexpr size_t kMaxReads = 128;

// A record of the ledger at `height`, provable under the header of height + 1.
struct ProvenRead {
  ledger::Family family{};
  Buffer key;
  std::optional<Buffer> value;
  int64_t height = 0;
  std::vector<light::ProofOp> proof;
  bool operator==(const ProvenRead&) const = default;
};

// What the evidence of a connection must be bound to (30-channels, section 2), each part as the
// verifier computed it, never as the peer said.
struct ChannelFacts {
  Buffer bind;  // Hash_suite(SPKI ‖ exporter): 32 or 48 bytes
  Hash32 spki_sha256{};
  Hash32 request_sha256{};  // of ATT_REQUEST
  bool operator==(const ChannelFacts&) const = default;
};

// How a request reaches its instance (30-channels, 4 and 5). Where nobody but the ledger has met
// the instance, the evidence is that of its registration, which names a block instead of a
// connection.
enum class Mode : uint8_t {
  atls,   // an attested connection
  chain,  // a job on the ledger
  relay,  // a sealed message through somebody's hands
};
std::string_view name(Mode mode);
std::optional<Mode> mode_from(std::string_view name);

struct RegistrationFacts {
  uint64_t block_height = 0;
  Hash32 block_hash{};
  bool operator==(const RegistrationFacts&) const = default;
};

// How the request was sealed, as the gateway did it; always with X-Wing.
struct SealingFacts {
  sealed::Padding padding = sealed::Padding::standard;  // of the answer
  Hash32 key_config_sha256{};                           // of the epoch that it was sealed to
  bool operator==(const SealingFacts&) const = default;
};

struct Bundle {
  ledger::Genesis genesis;
  std::vector<light::LightBlock> blocks;  // block 1 first, then rising
  std::vector<ProvenRead> reads;
  std::vector<ledger::EvidenceItem> evidence;
  Buffer claims;
  Mode mode = Mode::atls;
  ChannelFacts channel;            // of mode atls
  RegistrationFacts registration;  // of the others
  SealingFacts sealing;
  UnixSeconds checked_at = 0;  // when the gateway verified, before it sent anything
  std::string receipt_id;
  std::optional<ledger::SignedReceipt> receipt;
  Fixed<32> request_salt{};
  Fixed<32> answer_salt{};
};

enum class BundleError : uint8_t { not_json = 1, wrong_shape = 2, genesis = 3 };
std::string_view describe(BundleError error);

JsonValue to_json(const Bundle& bundle);
std::expected<Bundle, BundleError> bundle_from_json(std::string_view text);

}  // namespace cloister::trust
