// What CometBFT v0.38 signs and hashes, as plain data: header, commit, validator set. Numbers and
// lengths come from a peer; `verify.h` decides whether any of it may be believed.
#pragma once

#include "base/seams.h"
#include "crypto/signature.h"

namespace cloister::light {

using Address = Fixed<20>;

constexpr uint64_t kBlockProtocol = 11;
constexpr size_t kMaxChainIdBytes = 50;
constexpr size_t kMaxAppHashBytes = 64;
constexpr size_t kMaxValidators = 1000;
constexpr int64_t kMaxTotalPower = int64_t{1} << 60;
constexpr int64_t kZeroGoSeconds = -62135596800;  // year 1, Go's zero time: not the Unix epoch

// google.protobuf.Timestamp: nanos in [0, 10^9).
struct Timestamp {
  int64_t seconds = kZeroGoSeconds;
  int32_t nanos = 0;
  auto operator<=>(const Timestamp&) const = default;

  static Timestamp from_ms(UnixMillis ms) {
    const int64_t seconds = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
    return {seconds, static_cast<int32_t>(ms - seconds * 1000) * 1'000'000};
  }
  UnixMillis to_ms() const { return seconds * 1000 + nanos / 1'000'000; }
};

struct BlockId {
  Buffer hash;  // 32 bytes; empty for the block before the first
  uint32_t parts_total = 0;
  Buffer parts_hash;  // 32 bytes or empty
  bool operator==(const BlockId&) const = default;
};

struct Header {
  uint64_t block_version = kBlockProtocol;
  uint64_t app_version = 0;
  std::string chain_id;
  int64_t height = 0;
  Timestamp time;
  BlockId last_block_id;
  Buffer last_commit_hash;  // hashes: 32 bytes, or empty where CometBFT leaves one out
  Buffer data_hash;
  Buffer validators_hash;
  Buffer next_validators_hash;
  Buffer consensus_hash;
  Buffer app_hash;  // state after the block before this one; empty in the first
  Buffer last_results_hash;
  Buffer evidence_hash;
  Buffer proposer_address;
  bool operator==(const Header&) const = default;
};

enum class BlockIdFlag : uint8_t { absent = 1, commit = 2, nil = 3 };

struct CommitSig {
  BlockIdFlag flag = BlockIdFlag::absent;
  Buffer validator_address;  // 20 bytes; empty when absent
  Timestamp timestamp;       // the validator's own time
  Buffer signature;          // 64 bytes; empty when absent
  bool operator==(const CommitSig&) const = default;
};

struct Commit {
  int64_t height = 0;
  int32_t round = 0;
  BlockId block_id;
  std::vector<CommitSig> signatures;
  bool operator==(const Commit&) const = default;
};

struct SignedHeader {
  Header header;
  Commit commit;
  bool operator==(const SignedHeader&) const = default;
};

// The address is a function of the key and is therefore not stored.
struct Validator {
  crypto::Ed25519Public public_key{};
  int64_t power = 0;
  bool operator==(const Validator&) const = default;
};

// In CometBFT's order: power descending, then address ascending.
using ValidatorSet = std::vector<Validator>;

// A header with the set that signed it: what a provider delivers for one height.
struct LightBlock {
  SignedHeader signed_header;
  ValidatorSet validators;
  bool operator==(const LightBlock&) const = default;
};

}  // namespace cloister::light
