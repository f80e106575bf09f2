// The JSON forms of CometBFT's RPC, both ways: the embedded driver writes them, the light client
// reads them. 64-bit integers are decimal strings, hashes and addresses upper-case hex, keys,
// signatures, query keys, values and proofs base64, times RFC 3339 in UTC with up to nine fraction
// digits.
//
// Parsers demand every field that is hashed or signed in exactly this form, ignore members that
// carry nothing of it, bound every list, and believe nothing: what they return goes to `verify.h`.
#pragma once

#include "base/json.h"
#include "light/error.h"
#include "light/types.h"

namespace cloister::light {

template <typename T>
using Parsed = std::expected<T, LightError>;  // the only error is bad_json

std::string time_text(const Timestamp& time);
std::optional<Timestamp> time_from(std::string_view text);
std::string decimal(int64_t value);
std::optional<int64_t> int64_from(const JsonValue& value);  // a canonical decimal string

JsonValue to_json(const BlockId& id);
JsonValue to_json(const Header& header);
JsonValue to_json(const Commit& commit);
JsonValue to_json(const Validator& validator);

// `result.signed_header` of /commit.
JsonValue to_json(const SignedHeader& signed_header);
Parsed<SignedHeader> parse_signed_header(const JsonValue& value);

// `result` of /validators: one page of the set.
constexpr size_t kValidatorsPerPage = 100;
struct ValidatorsPage {
  int64_t height = 0;
  size_t total = 0;
  ValidatorSet validators;
};
JsonValue to_json(const ValidatorsPage& page);
Parsed<ValidatorsPage> parse_validators_page(const JsonValue& value);

struct ProofOp {
  std::string type;
  Buffer key;
  Buffer data;
  bool operator==(const ProofOp&) const = default;
};

// `result.response` of /abci_query.
constexpr size_t kMaxProofOps = 4;
constexpr size_t kMaxProofOpBytes = 1 << 20;
struct QueryResponse {
  uint32_t code = 0;
  Buffer key;
  std::optional<Buffer> value;  // JSON null: the key is absent
  std::vector<ProofOp> proof;
  int64_t height = 0;  // of the state; its root stands in the header of height + 1
  std::string log;
  bool operator==(const QueryResponse&) const = default;
};
JsonValue to_json(const QueryResponse& response);
Parsed<QueryResponse> parse_query_response(const JsonValue& value);

}  // namespace cloister::light
