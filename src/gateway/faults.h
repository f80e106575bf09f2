// How what goes wrong between this computer and the network reads to whoever asked.
#pragma once

#include "gateway/openai.h"
#include "light/account.h"

namespace cloister::gateway {

ApiError ledger_fault(std::string_view why);
ApiError ledger_fault(light::LightError error);
ApiError ledger_fault(const light::SendError& error);  // insufficient_balance where it is that
ApiError untrusted(std::string_view why);              // nothing was sent to the node

}  // namespace cloister::gateway
