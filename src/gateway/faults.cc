#include "gateway/faults.h"

#include <fmt/format.h>

namespace cloister::gateway {

ApiError ledger_fault(std::string_view why) {
  return {ApiCode::ledger_unreachable, fmt::format("the ledger: {}", why), ""};
}

ApiError ledger_fault(light::LightError error) {
  return ledger_fault(light::describe(error));
}

ApiError ledger_fault(const light::SendError& error) {
  const bool poor = error.code == ledger::Code::insufficient_balance;
  return {poor ? ApiCode::insufficient_balance : ApiCode::ledger_unreachable,
          fmt::format("the ledger: {}", error.describe()), ""};
}

ApiError untrusted(std::string_view why) {
  return {ApiCode::attestation_failed, fmt::format("the node was not trusted: {}", why), ""};
}

}  // namespace cloister::gateway
