// Why an answer may be trusted, and what is not proven: one report for the API, the page, `up
// --once` and `verify-receipt`, computed from a bundle by verifying everything in it. Pure.
#pragma once

#include "policy/local.h"
#include "trust/bundle.h"

namespace cloister::trust {

enum class Level : uint8_t {
  verified,
  verified_older_firmware,
  verified_by_network,
  development,
  failed
};
std::string_view name(Level level);

// One row of the report. The names and their order are interface (30-channels, section 6).
struct Row {
  std::string name;
  bool ok = false;
  std::string expected;
  std::string found;
  std::string source;
};

struct Report {
  Level level = Level::failed;
  std::string statement;  // one sentence in plain words
  std::vector<Row> checks;
  std::vector<std::string> not_proven;
  JsonValue instance, model, channel, ledger;
  std::string receipt_id;
  UnixSeconds checked_at = 0;

  bool trusted() const { return level != Level::failed; }
  const Row* first_failure() const;  // null when every row holds
};

struct Expectations {
  std::optional<Hash32>
      genesis_hash;  // what the caller pins; nothing: the bundle's own, and said so
  std::optional<policy::LocalPolicy> local_policy;
};

// Without a receipt in the bundle (an attestation report before any answer) the row
// `receipt_signature` is left out; every other row is always there.
Report evaluate(const Bundle& bundle, const Expectations& expectations);

JsonValue to_json(const Report& report);

}  // namespace cloister::trust
