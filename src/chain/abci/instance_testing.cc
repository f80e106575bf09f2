#include "chain/abci/instance_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "chain/abci/convert.h"
#include "chain/ledger_application.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain::abci {
namespace {

const std::vector<std::string> kPeople = {"alice", "bob", "operator"};

}  // namespace

const ledger::Genesis& driven_genesis() {
  static const ledger::Genesis made = [] {
    ledger::Genesis g = ledger::sample_network(kDrivenValidators).genesis;
    for (const std::string& who : kPeople) {
      ledger::GenesisAccount entry;
      entry.account = ledger::key_of(who).public_key();
      entry.balance_micro = 1'000'000'000;
      g.accounts.push_back(entry);
    }
    std::ranges::sort(g.accounts, {}, &ledger::GenesisAccount::account);
    return g;
  }();
  return made;
}

std::vector<chain::ValidatorUpdate> driven_validators() {
  std::vector<chain::ValidatorUpdate> out;
  for (const auto& v : driven_genesis().validators) {
    out.push_back({v.public_key, static_cast<int64_t>(v.power)});
  }
  return out;
}

Result<std::unique_ptr<Host>> open_driven(const std::string& dir, size_t index) {
  ledger::SampleNetwork sample = ledger::sample_network(kDrivenValidators);
  auto app =
      LedgerApplication::create(driven_genesis(), std::make_shared<ledger::ScriptedVerifier>(),
                                std::move(sample.secrets[index]));
  if (!app) return std::unexpected(app.error());
  HostConfig config;
  config.dir = dir;
  config.identity = {driven_genesis().chain_id, driven_genesis().hash()};
  config.validators = driven_validators();
  config.snapshot_interval = 2;
  return Host::open(std::move(config), std::move(*app));
}

Request init_request() {
  Request out;
  RequestInitChain& init = *out.mutable_init_chain();
  init.set_chain_id(driven_genesis().chain_id);
  init.set_initial_height(1);
  init.set_app_state_bytes(app_state(driven_genesis().hash()).dump());
  for (const auto& v : driven_validators()) write(v, *init.add_validators());
  return out;
}

Request block_request(int64_t height, const std::vector<Buffer>& txs, std::string_view salt) {
  Request out;
  RequestFinalizeBlock& block = *out.mutable_finalize_block();
  for (const Buffer& tx : txs) block.add_txs(string_of(tx));
  block.set_height(height);
  block.set_hash(string_of(ledger::hash_of("block " + std::to_string(height) + std::string(salt))));
  block.mutable_time()->set_seconds(static_cast<int64_t>(driven_genesis().time_ms / 1000) + height);
  return out;
}

Request commit_request() {
  Request out;
  out.mutable_commit();
  return out;
}

// --- one instance -------------------------------------------------------------------------------

DrivenInstance::DrivenInstance(std::string dir, size_t index)
    : dir_(std::move(dir)), index_(index) {
  std::filesystem::create_directories(dir_);
}

void DrivenInstance::start() {
  auto host = open_driven(dir_, index_);
  ASSERT_TRUE(host) << chain::describe(host.error());
  host_ = std::move(*host);
  Host* const serving = host_.get();
  auto server = Server::start(
      dir_ + "/app.sock", [serving](const Request& request) { return serving->handle(request); });
  ASSERT_TRUE(server);
  server_.emplace(std::move(*server));
  reconnect();
}

void DrivenInstance::crash() {
  connections_.clear();
  server_.reset();
  host_.reset();
}

void DrivenInstance::reconnect() {
  connections_.clear();
  for (int i = 0; i < 4; ++i) connections_.emplace_back(dir_ + "/app.sock");
}

void DrivenInstance::wipe() {
  crash();
  std::filesystem::remove_all(dir_);
  std::filesystem::create_directories(dir_);
}

}  // namespace cloister::chain::abci
