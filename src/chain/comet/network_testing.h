// A network of real CometBFT processes whose applications run in the test's own process, so that a
// test can put anything between the two. Heights are waited for as events, never for a time.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "chain/abci/host.h"
#include "chain/abci/server.h"
#include "chain/chain_testing.h"
#include "chain/comet/home.h"
#include "ledger/state/network_testing.h"
#include "light/account.h"
#include "process/child.h"

namespace cloister::chain::comet {

// Skips the test, with the reason, where there is no CometBFT.
#define CLOISTER_NEEDS_COMETBFT() \
  if (!cloister::chain::comet::find_program()) GTEST_SKIP() << cloister::chain::comet::kMissing

constexpr int kPatienceMs = 120'000;  // then a test has failed

struct NetworkOptions {
  size_t validators = 4;
  int64_t snapshot_interval = 0;
  Pace pace = kPaceOfOneMachine;
  std::function<ledger::State::Verifier()> verifier = [] {
    return std::make_shared<ledger::ScriptedVerifier>();
  };
  std::function<void(ledger::Genesis&)> change_genesis = [](ledger::Genesis&) {};
};

// What stands between an engine and its application.
using Between = std::function<abci::Response(const abci::Request&, const abci::Handler& host)>;

class TestMember {
 public:
  TestMember(const TemporaryFolder& folder, const ledger::Genesis& genesis, size_t index,
             std::optional<ledger::BeaconSecret> beacon, const NetworkOptions& options);

  void make(const ledger::Genesis& genesis);  // its folder and keys
  void start_application(const Between& between = {});
  void stop_application();
  // `built_in`: an application of CometBFT's own instead of ours.
  void start_engine(const std::vector<std::string>& environment = {},
                    const std::string& built_in = "");
  void stop_engine(int signal);  // and waits for its end
  void pause_engine(bool paused);
  // The engine's exit code, once it has ended by itself.
  std::optional<int> wait_engine_end();
  bool engine_runs() { return engine_ && !engine_->exit_code(); }
  pid_t engine_pid() const { return engine_->pid(); }
  std::string engine_log() const;

  int64_t height() const;
  bool wait_height(int64_t height);
  // That many proposals were refused by the application, since it started.
  bool wait_refused(int proposals);

  // Of JSON-RPC; null when there is no answer.
  JsonValue call(const std::string& method, JsonValue params = JsonValue::Object()) const;
  std::string app_hash(int64_t height) const;  // in the header of that height, hex
  light::Endpoint endpoint() const;
  std::string peer() const;  // id@host:port
  std::string rpc() const { return host_ + ":" + std::to_string(rpc_port_); }
  const HomeKeys& keys() const { return *keys_; }
  const std::filesystem::path& home() const { return home_; }
  EngineConfig engine_config() const;

 private:
  struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    int64_t height = 0;
    int refused = 0;
  };
  template <typename Held>
  bool wait(Held held);
  void note(const abci::Request& request, const abci::Response& response);

  const ledger::Genesis genesis_;
  const std::filesystem::path home_;
  const std::string host_;
  const uint16_t rpc_port_, p2p_port_;
  const NetworkOptions options_;
  std::optional<ledger::BeaconSecret> beacon_;
  std::optional<HomeKeys> keys_;
  std::unique_ptr<Progress> progress_ = std::make_unique<Progress>();
  std::unique_ptr<abci::Host> application_;
  std::optional<abci::Server> server_;
  std::optional<process::Child> engine_;
};

// A light client, and what users do with one.
class TestClient {
 public:
  TestClient(const ledger::Genesis& genesis, const Clock& clock,
             std::vector<light::Endpoint> endpoints);

  template <typename T, typename E>
  std::expected<T, E> run(boost::asio::awaitable<std::expected<T, E>> answer) {
    std::optional<std::expected<T, E>> out;
    boost::asio::co_spawn(*context_, std::move(answer),
                          [&](std::exception_ptr failed, std::expected<T, E> result) {
                            if (failed) std::rethrow_exception(failed);
                            out.emplace(std::move(result));
                          });
    context_->restart();
    context_->run();
    return std::move(*out);
  }
  // Sends with the next nonce and waits for its proven outcome: its code.
  template <typename Body>
  std::expected<ledger::Code, light::LightError> send(const std::string& who, const Body& body) {
    light::Account account(*client_, crypto::Ed25519Key::from_seed(ledger::key_of(who).seed()),
                           chain_id_, context_->get_executor());
    const auto sent = run(account.send(body, light::Millis(kPatienceMs)));
    if (sent) return ledger::Code::ok;
    if (sent.error().code) return *sent.error().code;
    return std::unexpected(*sent.error().light);
  }
  // Proven; nothing when it is proven to be absent, or cannot be proven: then the test has failed.
  template <typename T>
  std::optional<T> read(ledger::Family family, Bytes key, int64_t min_height = 0) {
    const auto found =
        run(client_->read(family, to_buffer(key), min_height, light::Millis(kPatienceMs)));
    EXPECT_TRUE(found) << light::describe(found.error());
    return found && found->value ? T::decode(*found->value) : std::nullopt;
  }
  light::Client& operator*() { return *client_; }

 private:
  const std::string chain_id_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<light::Client> client_;
};

class TestCometNetwork {
 public:
  // alice, bob and "operator" have money; "backer 1", … are the validators' operators.
  explicit TestCometNetwork(const NetworkOptions& options = {});
  void start_all();
  // One more node with the network's genesis, and no share of the beacon. Knows all the others.
  TestMember& add_member();
  void write_configs();

  // Of a validator of the genesis.
  const crypto::Ed25519Key& consensus_key(size_t i) const { return sample_.keys[i]; }
  TestMember& operator[](size_t i) { return *members_[i]; }
  size_t size() const { return members_.size(); }
  // All of these have committed it, and their headers name the same state after it.
  void expect_agreement(const std::vector<size_t>& members, int64_t height);

  // A light client over these members' RPC, or over endpoints that a test has put in between.
  TestClient client(const std::vector<size_t>& members) const;
  TestClient client(std::vector<light::Endpoint> endpoints) const;

  const ledger::Genesis& genesis() const { return genesis_; }
  const SystemClock clock;

 private:
  const NetworkOptions options_;
  ledger::SampleNetwork sample_;
  ledger::Genesis genesis_;
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<TestMember>> members_;
};

// An operator with a stake, and its instance, verified by every validator.
void bring_up_instance(const TestCometNetwork& network, TestClient& client);
// Opens a session and waits for its draw, which takes shares of a majority of validators.
void expect_a_draw(const TestCometNetwork& network, TestClient& client);

}  // namespace cloister::chain::comet
