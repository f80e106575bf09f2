// Records and transaction bodies of the ledger by name, as JSON for people.
#pragma once

#include "base/json.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"

namespace cloister::cli {

// What lies at `key` of a family. Nothing when such keys hold bare bytes or nothing at all.
std::optional<JsonValue> record_json(ledger::Family family, Bytes key, Bytes value);

// A key of a family, as typed: hex, a height or version, or a name where keys are names.
std::optional<Buffer> key_from_text(ledger::Family family, std::string_view text);

// CBOR of a transaction's body or of a proposal's change, from its JSON.
std::optional<Buffer> body_from_json(ledger::TxKind kind, const JsonValue& json);
std::optional<Buffer> change_from_json(ledger::ProposalKind kind, const JsonValue& json);
JsonValue change_json(ledger::ProposalKind kind, Bytes change);  // null when it is malformed
// Every member with its default: what a body of this kind must have.
std::optional<JsonValue> body_example(ledger::TxKind kind);
JsonValue change_example(ledger::ProposalKind kind);

}  // namespace cloister::cli
