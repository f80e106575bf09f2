#include "chain/comet/network_testing.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "chain/comet/probe.h"
#include "chain/comet/program.h"
#include "chain/ledger_application.h"
#include "ledger/types/keys.h"

namespace cloister::chain::comet {
namespace {

constexpr uint64_t kMoney = 1'000'000'000;
constexpr size_t kMaxLogBytes = 64 << 20;

// A loopback address of this process' own, so that ports never meet those of others.
std::string own_address() {
  const auto pid = static_cast<uint32_t>(::getpid());
  return fmt::format("127.{}.{}.{}", 64 + (pid >> 16) % 64, pid >> 8 & 0xff, (pid & 0xff) | 1);
}

ledger::Genesis genesis_of(const ledger::SampleNetwork& sample, UnixMillis now_ms) {
  ledger::Genesis g = sample.genesis;
  g.time_ms = static_cast<uint64_t>(now_ms);
  g.embedded = false;
  g.params.evidence_max_age_blocks = 600;
  for (size_t i = 0; i < g.validators.size(); ++i) {
    const std::string who = fmt::format("backer {}", i + 1);
    g.validators[i].operator_account = ledger::key_of(who).public_key();
  }
  for (const char* who : {"alice", "bob", "operator"}) {
    ledger::GenesisAccount entry;
    entry.account = ledger::key_of(who).public_key();
    entry.balance_micro = kMoney;
    g.accounts.push_back(entry);
  }
  std::ranges::sort(g.accounts, {}, &ledger::GenesisAccount::account);
  return g;
}

std::vector<chain::ValidatorUpdate> validators_of(const ledger::Genesis& genesis) {
  std::vector<chain::ValidatorUpdate> out;
  for (const auto& v : genesis.validators) {
    out.push_back({v.public_key, static_cast<int64_t>(v.power)});
  }
  return out;
}

}  // namespace

// --- one member ---------------------------------------------------------------------------------

TestMember::TestMember(const TemporaryFolder& folder, const ledger::Genesis& genesis, size_t index,
                       std::optional<ledger::BeaconSecret> beacon, const NetworkOptions& options)
    : genesis_(genesis),
      home_(folder.file(std::to_string(index))),
      host_(own_address()),
      rpc_port_(static_cast<uint16_t>(26657 + 10 * index)),
      p2p_port_(static_cast<uint16_t>(26656 + 10 * index)),
      options_(options),
      beacon_(std::move(beacon)) {}

void TestMember::make(const ledger::Genesis& genesis) {
  SystemRandom random;
  auto made = make_home(home_, genesis, random);
  ASSERT_TRUE(made) << made.error();
  keys_.emplace(std::move(*made));
}

EngineConfig TestMember::engine_config() const {
  EngineConfig out;
  out.moniker = home_.filename().string();
  out.rpc = rpc();
  out.p2p = fmt::format("{}:{}", host_, p2p_port_);
  out.one_machine = true;
  return out;
}

std::string TestMember::peer() const {
  return fmt::format("{}@{}:{}", node_id(keys_->node.public_key()), host_, p2p_port_);
}

void TestMember::start_application(const Between& between) {
  std::optional<ledger::BeaconSecret> secret;
  if (beacon_) {
    secret.emplace();
    secret->index = beacon_->index;
    std::ranges::copy(beacon_->scalar.reveal(), secret->scalar.reveal_mutable().begin());
  }
  auto app = LedgerApplication::create(genesis_, options_.verifier(), std::move(secret));
  ASSERT_TRUE(app);
  abci::HostConfig config;
  config.dir = (home_ / "ledger").string();
  config.identity = {genesis_.chain_id, genesis_.hash()};
  config.validators = validators_of(genesis_);
  config.snapshot_interval = options_.snapshot_interval;
  config.on_commit = [progress = progress_.get()](int64_t height) {
    const std::lock_guard lock(progress->mutex);
    progress->height = height;
    progress->changed.notify_all();
  };
  auto host = abci::Host::open(std::move(config), std::move(*app));
  ASSERT_TRUE(host) << describe(host.error());
  application_ = std::move(*host);
  progress_->height = application_->height();
  const abci::Handler direct = [application = application_.get()](const abci::Request& request) {
    return application->handle(request);
  };
  progress_->refused = 0;
  const auto handler = [this, between, direct](const abci::Request& request) {
    abci::Response response = between ? between(request, direct) : direct(request);
    note(request, response);
    return response;
  };
  auto server = abci::Server::start((home_ / "app.sock").string(), handler);
  ASSERT_TRUE(server) << abci::describe(server.error());
  server_.emplace(std::move(*server));
}

void TestMember::stop_application() {
  server_.reset();
  application_.reset();
}

void TestMember::start_engine(const std::vector<std::string>& environment,
                              const std::string& built_in) {
  process::ChildOptions options;
  options.argv = {find_program()->string(), "start", "--home", home_.string()};
  if (!built_in.empty()) options.argv.push_back("--proxy_app=" + built_in);
  options.folder = home_.string();
  options.stdout_file = options.stderr_file = (home_ / "log").string();
  options.environment = environment;
  options.environment.emplace_back("GOMAXPROCS=1");
  options.environment.emplace_back("GOMEMLIMIT=200MiB");
  auto started = process::Child::start(options);
  ASSERT_TRUE(started);
  engine_.emplace(std::move(*started));
}

void TestMember::stop_engine(int signal) {
  if (!engine_ || engine_->exit_code()) return;
  ::kill(engine_->pid(), SIGCONT);
  ::kill(engine_->pid(), signal);
  (void)wait_engine_end();
  engine_.reset();
}

void TestMember::pause_engine(bool paused) {
  ::kill(engine_->pid(), paused ? SIGSTOP : SIGCONT);
}

std::optional<int> TestMember::wait_engine_end() {
  pollfd fd{engine_->end_fd(), POLLIN, 0};
  if (::poll(&fd, 1, kPatienceMs) != 1) return std::nullopt;
  return engine_->exit_code();
}

std::string TestMember::engine_log() const {
  const auto log = read_file(home_ / "log", kMaxLogBytes);
  return log ? std::string(as_text(*log)) : "";
}

int64_t TestMember::height() const {
  const std::lock_guard lock(progress_->mutex);
  return progress_->height;
}

void TestMember::note(const abci::Request& request, const abci::Response& response) {
  if (!request.has_process_proposal()) return;
  const std::lock_guard lock(progress_->mutex);
  progress_->refused += response.process_proposal().status() == abci::PROPOSAL_REJECT;
  progress_->changed.notify_all();
}

template <typename Held>
bool TestMember::wait(Held held) {
  std::unique_lock lock(progress_->mutex);
  return progress_->changed.wait_for(lock, std::chrono::milliseconds(kPatienceMs), held);
}

bool TestMember::wait_height(int64_t height) {
  return wait([&] { return progress_->height >= height; });
}

bool TestMember::wait_refused(int proposals) {
  return wait([&] { return progress_->refused >= proposals; });
}

JsonValue TestMember::call(const std::string& method, JsonValue params) const {
  return ask_engine({host_, rpc_port_}, method, std::move(params), 10'000);
}

std::string TestMember::app_hash(int64_t height) const {
  const JsonValue commit = call("commit", JsonValue::object({{"height", light::decimal(height)}}));
  return std::string(commit["signed_header"]["header"]["app_hash"].string().value_or(""));
}

light::Endpoint TestMember::endpoint() const {
  return {rpc(), std::make_unique<light::HttpRpc>(host_, rpc_port_)};
}

// --- a client -----------------------------------------------------------------------------------

TestClient::TestClient(const ledger::Genesis& genesis, const Clock& clock,
                       std::vector<light::Endpoint> endpoints)
    : chain_id_(genesis.chain_id),
      context_(std::make_unique<boost::asio::io_context>()),
      client_(std::make_unique<light::Client>(context_->get_executor(), std::move(endpoints), clock,
                                              light::trust_of(genesis))) {}

// --- the network --------------------------------------------------------------------------------

TestCometNetwork::TestCometNetwork(const NetworkOptions& options)
    : options_(options),
      sample_(ledger::sample_network(options.validators)),
      genesis_(genesis_of(sample_, clock.now_ms())) {
  options_.change_genesis(genesis_);
  for (size_t i = 0; i < options.validators; ++i) {
    members_.push_back(
        std::make_unique<TestMember>(folder_, genesis_, i, std::move(sample_.secrets[i]), options));
    // The keys of the sample, so that tests can sign as validators do.
    const auto home = members_.back()->home();
    std::filesystem::create_directories(home / "config");
    const std::string key = consensus_key_json(sample_.keys[i]);
    EXPECT_TRUE(write_file(consensus_key_file(home), as_bytes(key), FileMode::secret));
    members_.back()->make(genesis_);
  }
  write_configs();
}

void TestCometNetwork::write_configs() {
  for (const auto& member : members_) {
    EngineConfig config = member->engine_config();
    config.pace = options_.pace;
    for (const auto& other : members_) {
      if (other != member) config.peers.push_back(other->peer());
    }
    const auto written = write_config(member->home(), config);
    EXPECT_TRUE(written) << written.error();
  }
}

TestMember& TestCometNetwork::add_member() {
  members_.push_back(
      std::make_unique<TestMember>(folder_, genesis_, members_.size(), std::nullopt, options_));
  members_.back()->make(genesis_);
  write_configs();
  return *members_.back();
}

void TestCometNetwork::start_all() {
  for (const auto& member : members_) {
    member->start_application();
    member->start_engine();
  }
}

void TestCometNetwork::expect_agreement(const std::vector<size_t>& members, int64_t height) {
  std::set<std::string> hashes;
  for (const size_t i : members) {
    // The header after it says what the block left.
    ASSERT_TRUE(members_[i]->wait_height(height + 1))
        << "validator " << i << " is at " << members_[i]->height();
    hashes.insert(members_[i]->app_hash(height + 1));
  }
  EXPECT_EQ(hashes.size(), 1u) << "at height " << height;
  EXPECT_FALSE(hashes.contains(""));
}

TestClient TestCometNetwork::client(const std::vector<size_t>& members) const {
  std::vector<light::Endpoint> endpoints;
  for (const size_t i : members) endpoints.push_back(members_[i]->endpoint());
  return client(std::move(endpoints));
}

TestClient TestCometNetwork::client(std::vector<light::Endpoint> endpoints) const {
  return TestClient(genesis_, clock, std::move(endpoints));
}

// --- what a network is for ----------------------------------------------------------------------

void bring_up_instance(const TestCometNetwork& network, TestClient& client) {
  ledger::OperatorBond bond;
  bond.amount_micro = network.genesis().params.min_stake_micro;
  ASSERT_EQ(client.send("operator", bond), ledger::Code::ok);
  const auto newest = client.run((*client).latest());
  ASSERT_TRUE(newest);
  const auto height = static_cast<uint64_t>(newest->height - 1);
  const auto block =
      client.read<ledger::BlockRef>(ledger::Family::blocks, ledger::number_key(height));
  ASSERT_TRUE(block);
  const auto body =
      ledger::registration_at(network.genesis(), "operator", "node", 1, height, block->hash);
  ASSERT_EQ(client.send("operator", body), ledger::Code::ok);
}

void expect_a_draw(const TestCometNetwork& network, TestClient& client) {
  const auto alice = ledger::key_of("alice").public_key();
  const auto before = client.read<ledger::Account>(ledger::Family::accounts, alice);
  const uint64_t nonce = before ? before->nonce : 0;
  ASSERT_EQ(client.send("alice", ledger::TestNetwork::open_body(100'000)), ledger::Code::ok);
  const ledger::SessionId id = ledger::session_id(network.genesis().chain_id, alice, nonce);
  for (;;) {
    const auto session = client.read<ledger::Session>(ledger::Family::sessions, id);
    ASSERT_TRUE(session);
    if (session->state == ledger::SessionState::assigned) return;
    ASSERT_EQ(session->state, ledger::SessionState::requested);
    const auto newest = client.run((*client).latest());
    ASSERT_TRUE(newest);
    ASSERT_TRUE(client.run((*client).watch(newest->height + 1, light::Millis(kPatienceMs))));
  }
}

}  // namespace cloister::chain::comet
