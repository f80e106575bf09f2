// Checks what an endpoint says about one key of the ledger against a verified header.
//
// A read is proven by two operators: "smt:v1" leads from the key to the root of its state family,
// "simple:v" from there to the header's app_hash, which commits to the roots of all families,
// sorted by name. Both directions: a value that is there, and the absence of a key.
#pragma once

#include "ledger/types/proof.h"
#include "light/json_form.h"
#include "light/verify.h"

namespace cloister::light {

constexpr std::string_view kSparseOp = "smt:v1";
constexpr std::string_view kSimpleOp = "simple:v";

// The two operators, as an endpoint sends them.
std::vector<ProofOp> proof_ops(ledger::Family family, Bytes key, const ledger::StoreProof& proof);

// Holds when `family` of the state with `app_hash` maps `key` to `value`, or has no such key when
// `value` is nothing. The number and place of the families are checked with it.
[[nodiscard]] std::expected<void, LightError> verify_read(std::span<const ProofOp> proof,
                                                          ledger::Family family, Bytes key,
                                                          std::optional<Bytes> value,
                                                          Bytes app_hash);

}  // namespace cloister::light
