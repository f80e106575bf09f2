// A blocking client of a running gateway, for the command line.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "base/json.h"

namespace cloister::cli {

struct GatewayAddress {
  uint16_t port = 0;
  std::string token;
};

// What `cloister up` leaves for the other commands.
struct RunningNetwork {
  GatewayAddress gateway;
  std::string ledger;             // host:port of its RPC
  std::string blobs;              // host:port of its blob server
  std::string genesis, user_key;  // files
};

// Where `cloister up` says that its gateway serves; the error is a sentence for the user.
std::filesystem::path running_file();
struct RunningFiles {
  std::filesystem::path token, genesis, user_key;
};
struct RunningPorts {
  uint16_t gateway = 0, ledger = 0, blobs = 0;
};
std::expected<void, std::string> write_running(const RunningPorts& ports,
                                               const RunningFiles& files);
std::expected<RunningNetwork, std::string> read_running();

struct AskedAnswer {
  UserText text;
  JsonValue receipt;  // the bundle
  JsonValue trust;
  int64_t elapsed_ms = 0;
};

struct AskWith {
  std::string model;          // empty: the first that the gateway lists
  std::string mode = "atls";  // how it reaches a node
  JsonValue documents;        // as the API takes them; null for none
};
constexpr const char* kNoRelay = "mode relay is not built yet; atls and chain are";
std::expected<AskedAnswer, std::string> ask_gateway(const GatewayAddress& gateway, AskWith with,
                                                    const UserText& prompt);

// The answer with its trust summary, for a terminal.
void print_answer(const AskedAnswer& answer);
JsonValue answer_json(const AskedAnswer& answer);  // {answer, receipt, trust}

}  // namespace cloister::cli
