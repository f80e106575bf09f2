#include "light/verify.h"

#include "light/encoding.h"

namespace cloister::light {
namespace {

using Verdict = std::expected<void, LightError>;

constexpr int64_t kMaxSeconds = 253402300799;  // 9999-12-31T23:59:59Z
constexpr int64_t kMaxDenominator = 7;         // keeps power * denominator inside 63 bits

Verdict refuse(LightError error) {
  return std::unexpected(error);
}

bool in_range(const Timestamp& t) {
  return t.seconds >= kZeroGoSeconds && t.seconds <= kMaxSeconds && t.nanos >= 0 &&
         t.nanos < 1'000'000'000;
}

bool hash_or_empty(const Buffer& b) {
  return b.empty() || b.size() == 32;
}

bool names_a_block(const BlockId& id) {
  return id.hash.size() == 32 && id.parts_hash.size() == 32 && id.parts_total > 0;
}

bool names_nothing(const BlockId& id) {
  return id.hash.empty() && id.parts_hash.empty() && id.parts_total == 0;
}

Verdict check_header(const Header& h, std::string_view chain_id) {
  if (h.block_version != kBlockProtocol) return refuse(LightError::wrong_protocol_version);
  if (h.chain_id.size() > kMaxChainIdBytes || h.chain_id != chain_id) {
    return refuse(LightError::wrong_chain);
  }
  const bool last_block_fits =
      h.height == 1 ? names_nothing(h.last_block_id) : names_a_block(h.last_block_id);
  const bool fits = h.height > 0 && in_range(h.time) && last_block_fits &&
                    hash_or_empty(h.last_commit_hash) && hash_or_empty(h.data_hash) &&
                    h.validators_hash.size() == 32 && h.next_validators_hash.size() == 32 &&
                    h.consensus_hash.size() == 32 && h.app_hash.size() <= kMaxAppHashBytes &&
                    hash_or_empty(h.last_results_hash) && hash_or_empty(h.evidence_hash) &&
                    h.proposer_address.size() == 20;
  return fits ? Verdict{} : refuse(LightError::bad_field);
}

bool well_formed(const CommitSig& sig) {
  switch (sig.flag) {
    case BlockIdFlag::absent:
      return sig.validator_address.empty() && sig.signature.empty() && sig.timestamp == Timestamp{};
    case BlockIdFlag::commit:
    case BlockIdFlag::nil:
      return sig.validator_address.size() == 20 && sig.signature.size() == 64 &&
             in_range(sig.timestamp);
  }
  return false;
}

Verdict check_commit(const Commit& commit, const Header& header, const Hash32& hash) {
  if (commit.height != header.height) return refuse(LightError::wrong_commit_height);
  if (commit.round < 0 || !names_a_block(commit.block_id)) return refuse(LightError::bad_field);
  if (!equal(commit.block_id.hash, hash)) return refuse(LightError::wrong_header_hash);
  for (const CommitSig& sig : commit.signatures) {
    if (!well_formed(sig)) return refuse(LightError::bad_signature_entry);
  }
  return {};
}

int64_t total_power(const ValidatorSet& validators) {
  int64_t total = 0;
  for (const Validator& v : validators) total += v.power;
  return total;
}

using ByAddress = std::map<Address, const Validator*>;

// Bounds first: the set may be made huge on purpose.
Verdict check_validators(const ValidatorSet& validators, const Header& header) {
  if (validators.empty() || validators.size() > kMaxValidators) {
    return refuse(LightError::too_many_validators);
  }
  int64_t total = 0;
  for (const Validator& v : validators) {
    if (v.power <= 0 || v.power > kMaxTotalPower - total) return refuse(LightError::bad_power);
    total += v.power;
  }
  ByAddress seen;
  for (const Validator& v : validators) {
    if (!seen.emplace(address_of(v.public_key), &v).second) {
      return refuse(LightError::duplicate_validator);
    }
  }
  if (!equal(validators_hash(validators), header.validators_hash)) {
    return refuse(LightError::wrong_validators_hash);
  }
  return {};
}

bool signature_holds(const Commit& commit, size_t index, const Validator& validator,
                     std::string_view chain_id) {
  const auto signature = to_fixed<64>(commit.signatures[index].signature);
  if (!signature) return false;
  return crypto::verify_ed25519(validator.public_key, commit_sign_bytes(commit, index, chain_id),
                                *signature);
}

// Whether validators of the trusted set with more than `level` of its power signed the commit. Each
// counts once; unknown ones and invalid signatures count nothing, so that no single validator can
// make a good commit unacceptable.
Verdict check_trusted_power(const VerifiedBlock& trusted, const Commit& commit,
                            const TrustOptions& options) {
  ByAddress known;
  for (const Validator& v : trusted.validators()) known.emplace(address_of(v.public_key), &v);
  const int64_t total = total_power(trusted.validators());
  int64_t tally = 0;
  for (size_t i = 0; i < commit.signatures.size(); ++i) {
    if (commit.signatures[i].flag != BlockIdFlag::commit) continue;
    const auto found = known.find(*to_fixed<20>(commit.signatures[i].validator_address));
    if (found == known.end()) continue;
    const Validator& validator = *found->second;
    if (!signature_holds(commit, i, validator, trusted.header().chain_id)) continue;
    known.erase(found);
    tally += validator.power;
    if (tally * options.trust_denominator > total * options.trust_numerator) return {};
  }
  return refuse(LightError::not_enough_trusted_power);
}

// Whether more than two thirds of the block's own set signed it, entry i being validator i.
Verdict check_own_power(const LightBlock& block) {
  const Commit& commit = block.signed_header.commit;
  if (commit.signatures.size() != block.validators.size()) {
    return refuse(LightError::wrong_signature_count);
  }
  for (size_t i = 0; i < commit.signatures.size(); ++i) {
    const CommitSig& sig = commit.signatures[i];
    if (sig.flag == BlockIdFlag::absent) continue;
    if (!equal(sig.validator_address, address_of(block.validators[i].public_key))) {
      return refuse(LightError::wrong_validator_address);
    }
  }
  const int64_t total = total_power(block.validators);
  int64_t tally = 0;
  for (size_t i = 0; i < commit.signatures.size(); ++i) {
    if (commit.signatures[i].flag != BlockIdFlag::commit) continue;
    const Validator& validator = block.validators[i];
    if (!signature_holds(commit, i, validator, block.signed_header.header.chain_id)) continue;
    tally += validator.power;
    if (tally * 3 > total * 2) return {};
  }
  return refuse(LightError::not_enough_power);
}

bool valid(const TrustOptions& o) {
  return o.trusting_period_s > 0 && o.trusting_period_s <= kMaxPeriodSeconds &&
         o.max_clock_drift_s >= 0 && o.max_clock_drift_s <= kMaxPeriodSeconds &&
         o.trust_denominator > 0 && o.trust_denominator <= kMaxDenominator &&
         o.trust_numerator <= o.trust_denominator && o.trust_numerator * 3 >= o.trust_denominator;
}

Verdict check_order(const VerifiedBlock& trusted, const Header& header, UnixMillis now_ms,
                    const TrustOptions& options) {
  const Header& old = trusted.header();
  if (header.height <= old.height) return refuse(LightError::height_not_newer);
  if (header.time <= old.time) return refuse(LightError::time_not_newer);
  if (header.time >= Timestamp::from_ms(now_ms + options.max_clock_drift_s * 1000)) {
    return refuse(LightError::from_the_future);
  }
  const Timestamp expires{old.time.seconds + options.trusting_period_s, old.time.nanos};
  if (expires <= Timestamp::from_ms(now_ms)) return refuse(LightError::trust_expired);
  return {};
}

}  // namespace

// The one place that makes a VerifiedBlock. Each step may be asked for once; the block comes out
// only when none refused.
class Verifier {
 public:
  Verifier(const LightBlock& block, std::string_view chain_id)
      : block_(block), hash_(header_hash_of(block)) {
    also([&] { return check_header(header(), chain_id); });
    also([&] { return check_commit(block_.signed_header.commit, header(), hash_); });
  }

  template <typename Check>
  Verifier& also(Check check) {
    if (verdict_) verdict_ = check();
    return *this;
  }

  Verification finish() {
    also([&] { return check_own_power(block_); });
    if (!verdict_) return std::unexpected(verdict_.error());
    return VerifiedBlock(header(), hash_, block_.validators);
  }

  const Header& header() const { return block_.signed_header.header; }
  const Hash32& hash() const { return hash_; }

 private:
  static Hash32 header_hash_of(const LightBlock& block) {
    return header_hash(block.signed_header.header);
  }
  const LightBlock& block_;
  Hash32 hash_;
  Verdict verdict_;
};

Verification verify_root(const TrustRoot& root, const LightBlock& block) {
  Verifier verifier(block, root.chain_id);
  verifier.also([&]() -> Verdict {
    const bool same =
        verifier.header().height == root.height && verifier.hash() == root.header_hash;
    return same ? Verdict{} : refuse(LightError::wrong_trust_root);
  });
  verifier.also([&] { return check_validators(block.validators, verifier.header()); });
  return verifier.finish();
}

Verification verify_genesis(std::string_view chain_id, const ValidatorSet& validators,
                            const LightBlock& block) {
  Verifier verifier(block, chain_id);
  verifier.also([&]() -> Verdict {
    const bool first = verifier.header().height == 1 && block.validators == validators;
    return first ? Verdict{} : refuse(LightError::wrong_trust_root);
  });
  verifier.also([&] { return check_validators(block.validators, verifier.header()); });
  return verifier.finish();
}

Verification verify_adjacent(const VerifiedBlock& trusted, const LightBlock& block,
                             UnixMillis now_ms, const TrustOptions& options) {
  if (!valid(options)) return std::unexpected(LightError::bad_options);
  Verifier verifier(block, trusted.header().chain_id);
  verifier.also([&] { return check_order(trusted, verifier.header(), now_ms, options); });
  verifier.also([&]() -> Verdict {
    if (verifier.header().height != trusted.height() + 1) return refuse(LightError::not_adjacent);
    return {};
  });
  verifier.also([&] { return check_validators(block.validators, verifier.header()); });
  verifier.also([&]() -> Verdict {
    const Header& header = verifier.header();
    if (header.validators_hash != trusted.header().next_validators_hash) {
      return refuse(LightError::wrong_next_validators);
    }
    if (!equal(header.last_block_id.hash, trusted.hash())) {
      return refuse(LightError::wrong_last_block);
    }
    return {};
  });
  return verifier.finish();
}

Verification verify_non_adjacent(const VerifiedBlock& trusted, const LightBlock& block,
                                 UnixMillis now_ms, const TrustOptions& options) {
  if (!valid(options)) return std::unexpected(LightError::bad_options);
  Verifier verifier(block, trusted.header().chain_id);
  verifier.also([&] { return check_order(trusted, verifier.header(), now_ms, options); });
  verifier.also([&] { return check_validators(block.validators, verifier.header()); });
  verifier.also([&]() -> Verdict {
    const Commit& commit = block.signed_header.commit;
    if (commit.signatures.size() != block.validators.size()) {
      return refuse(LightError::wrong_signature_count);
    }
    return check_trusted_power(trusted, commit, options);
  });
  return verifier.finish();
}

Verification verify(const VerifiedBlock& trusted, const LightBlock& block, UnixMillis now_ms,
                    const TrustOptions& options) {
  const bool adjacent = block.signed_header.header.height == trusted.height() + 1;
  return adjacent ? verify_adjacent(trusted, block, now_ms, options)
                  : verify_non_adjacent(trusted, block, now_ms, options);
}

std::expected<void, LightError> check_fresh(const VerifiedBlock& block, UnixMillis now_ms,
                                            int64_t max_age_ms) {
  if (block.time_ms() + max_age_ms < now_ms) return refuse(LightError::stale);
  return {};
}

}  // namespace cloister::light
