// What a gateway is told at start.
#pragma once

#include <filesystem>

#include "base/log.h"
#include "channel/sealed/profile.h"
#include "light/endpoint.h"
#include "payload/payload.h"
#include "policy/local.h"

namespace cloister::gateway {

struct GatewayConfig {
  std::vector<light::EndpointAddress> ledger;  // the first is asked, the others are its witnesses
  std::filesystem::path genesis;
  std::filesystem::path data;                // token, receipts
  std::filesystem::path user_key;            // 32-byte seed in hex
  std::string listen_address = "127.0.0.1";  // loopback only
  uint16_t listen_port = 0;                  // 0: any free one
  std::string model;                         // empty: the ledger's only one
  uint32_t ready_sessions = 2;               // attested and confirmed ahead of need
  uint64_t session_units = 100'000;
  uint64_t price_cap_micro = 10'000'000;  // for a million units
  std::optional<policy::LocalPolicy> local_policy;
  sealed::Padding padding = sealed::Padding::standard;  // of answers
  uint64_t job_blocks = 60;                            // that a node has for the answer to a job
  std::optional<payload::Store> blobs;                  // for what is too large for the ledger
  LogLevel log_level = LogLevel::info;
};

}  // namespace cloister::gateway
