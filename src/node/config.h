// What a node is told at start. Inside a TEE the effective configuration is measured: its digest is
// in the evidence, and nothing is read from outside afterwards.
#pragma once

#include <filesystem>

#include "base/log.h"
#include "light/endpoint.h"
#include "node/tee.h"
#include "payload/payload.h"

namespace cloister::node {

struct NodeConfig {
  std::vector<light::EndpointAddress> ledger;  // the first is asked, the others are its witnesses
  std::filesystem::path genesis;
  std::string listen_address = "127.0.0.1";
  uint16_t listen_port = 0;                   // 0: any free one
  std::string advertised_host = "127.0.0.1";  // what the ledger tells users
  std::filesystem::path operator_key;         // 32-byte seed in hex
  TeeKind tee = TeeKind::simulated_tdx;
  std::filesystem::path tee_hierarchy;
  uint32_t tee_platform = 0;
  std::filesystem::path model_file;
  uint64_t price_micro = 1'000'000;     // for a million units
  uint32_t capacity = 4;                // sessions at a time
  uint32_t engine_threads = 0;          // 0: as many as the machine has cores
  std::optional<payload::Store> blobs;  // for answers to jobs that are too large for the ledger
  LogLevel log_level = LogLevel::info;

  // SHA-256 over every member in one fixed text form.
  Hash32 digest() const;
};

}  // namespace cloister::node
