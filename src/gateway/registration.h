// The evidence that an instance registered with, out of the block that took it: for whoever has no
// connection to the instance and still judges it itself instead of believing the ledger's verdict.
#pragma once

#include "gateway/faults.h"
#include "ledger/types/instance.h"
#include "trust/bundle.h"

namespace cloister::gateway {

struct RegisteredEvidence {
  std::vector<ledger::EvidenceItem> items;  // hash to the record's evidence_sha256
  trust::RegistrationFacts facts;           // the block that the instance named
};

// `instance` is a proven record. An error when no endpoint has that block any more.
boost::asio::awaitable<std::expected<RegisteredEvidence, ApiError>> registered_evidence(
    light::Client& ledger, const std::string& chain_id, const ledger::Instance& instance);

}  // namespace cloister::gateway
