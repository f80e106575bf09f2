// Measures a network of CometBFT validators on this machine, with the ledger or with CometBFT's own
// key-value store as its application.
//
//   bench_consensus ledger|kvstore VALIDATORS   one line of JSON
//
// The ledger's applications run in this process, one thread a connection; kvstore runs inside
// CometBFT. Both are fed over JSON-RPC by the same client in this process.
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "chain/comet/network_testing.h"
#include "chain/comet/probe.h"
#include "chain/comet/program.h"
#include "ledger/admit/ledger_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/keys.h"

namespace {

using namespace cloister;
using namespace cloister::chain;
using namespace cloister::chain::comet;
using SteadyClock = std::chrono::steady_clock;

// CometBFT hands transactions to an application on a socket every 20 ms: many connections at once.
constexpr size_t kSenders = 256, kConnections = 128;
constexpr auto kLoad = std::chrono::seconds(12);
constexpr int kProbes = 21;
constexpr uint32_t kRegistrations = 120;

void must(bool held, const char* what) {
  if (held) return;
  fmt::print(stderr, "bench_consensus: {}\n", what);
  std::exit(1);
}

std::string sender(size_t i) {
  return fmt::format("sender {}", i);
}

// The true verifier over a simulated Intel, and money for everybody.
NetworkOptions options_for(size_t validators) {
  NetworkOptions out;
  out.validators = validators;
  out.verifier = [] { return ledger::make_verifier(); };
  out.change_genesis = [](ledger::Genesis& g) {
    const ledger::Genesis admit = ledger::TestLedger::genesis();
    g.development_intel = admit.development_intel;
    g.policy = admit.policy;
    g.models = admit.models;
    for (size_t i = 0; i <= kSenders; ++i) {  // the last measures latency
      g.accounts.push_back({{}, ledger::key_of(sender(i)).public_key(), 1'000'000'000});
    }
    std::ranges::sort(g.accounts, {}, &ledger::GenesisAccount::account);
  };
  return out;
}

class Load {
 public:
  Load(TestCometNetwork& network, bool ledger) : network_(network), ledger_(ledger) {}

  // Transactions of one connection, as fast as they are accepted, until `end`.
  boost::asio::awaitable<void> flood(size_t connection, SteadyClock::time_point end) {
    auto rpc = network_[connection % network_.size()].endpoint().rpc;
    std::vector<uint64_t> nonces(kSenders / kConnections);
    for (uint64_t n = 0; SteadyClock::now() < end; ++n) {
      const size_t own = n % nonces.size();
      JsonValue params;
      params.set("tx", to_base64(tx(connection + own * kConnections, nonces[own])));
      const auto answer =
          co_await rpc->call("broadcast_tx_sync", std::move(params), light::Millis(10'000));
      if (answer && (*answer)["code"].u64() == 0) ++nonces[own];
    }
  }

  Buffer tx(size_t from, uint64_t nonce) const {
    if (!ledger_) return to_buffer(as_bytes(fmt::format("{}.{}={}", from, nonce, nonce)));
    ledger::Transfer body;
    body.to = ledger::key_of("bob").public_key();
    body.amount_micro = 1;
    return ledger::make_tx(network_.genesis().chain_id, nonce, body, ledger::key_of(sender(from)));
  }

 private:
  TestCometNetwork& network_;
  const bool ledger_;
};

struct Window {
  int64_t blocks = 0, txs = 0;
  double seconds = 0;
};

int64_t height_of(const TestMember& member) {
  return light::int64_from(member.call("status")["sync_info"]["latest_block_height"]).value_or(0);
}

// What the headers from one height to another say.
Window window(const TestMember& member, int64_t from, int64_t to) {
  Window out;
  std::optional<light::Timestamp> first, last;
  for (int64_t h = from; h <= to; ++h) {
    const JsonValue block =
        member.call("block", JsonValue::object({{"height", light::decimal(h)}}));
    const auto time = light::time_from(block["block"]["header"]["time"].string().value_or(""));
    must(time.has_value(), "a block cannot be read");
    if (!first) first = time;
    last = time;
    const auto* txs = block["block"]["data"]["txs"].array();
    if (h > from) out.txs += txs ? static_cast<int64_t>(txs->size()) : 0;
  }
  out.blocks = to - from;
  out.seconds = static_cast<double>(last->to_ms() - first->to_ms()) / 1000.0;
  return out;
}

double resident_mib(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// From the broadcast to the proof of its outcome, as a gateway's light client has it.
double finality_ms(TestCometNetwork& network, const Load& load) {
  TestClient client = network.client({0, 1, 2});
  std::vector<double> took;
  for (int i = 0; i < kProbes; ++i) {
    const Buffer tx = load.tx(kSenders, static_cast<uint64_t>(i));
    const auto began = SteadyClock::now();
    must(client.run((*client).broadcast(tx)).has_value(), "a transaction was not taken");
    must(client.run((*client).wait_tx(light::tx_id(tx), light::Millis(30'000))).has_value(),
         "a transaction's outcome was not proven");
    took.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count());
  }
  std::ranges::sort(took);
  return took[took.size() / 2];
}

// Until no validator has anything waiting: what is measured next is not behind what was before.
void drain(TestCometNetwork& network) {
  const auto deadline = SteadyClock::now() + std::chrono::seconds(120);
  for (size_t i = 0; i < network.size(); ++i) {
    while (network[i].call("num_unconfirmed_txs")["total"].string() != "0") {
      must(SteadyClock::now() < deadline, "the mempools do not empty");
    }
  }
}

// Registrations with TDX quotes, each verified by every validator.
double registrations_a_second(TestCometNetwork& network) {
  TestClient client = network.client({0, 1, 2});
  const auto now = static_cast<UnixSeconds>(network.clock.now());
  for (const auto& files : ledger::intel_collateral(now)) {
    ledger::PutCollateral put;
    put.files = files;
    must(client.send("alice", put) == ledger::Code::ok, "collateral was refused");
  }
  ledger::OperatorBond bond;
  bond.amount_micro = network.genesis().params.min_stake_micro;
  must(client.send("operator", bond) == ledger::Code::ok, "a bond was refused");
  const auto newest = client.run((*client).latest());
  const auto height = static_cast<uint64_t>(newest->height - 1);
  const auto block =
      client.read<ledger::BlockRef>(ledger::Family::blocks, ledger::number_key(height));
  const auto account = client.read<ledger::Account>(ledger::Family::accounts,
                                                    ledger::key_of("operator").public_key());
  std::vector<Buffer> txs;
  for (uint32_t i = 0; i < kRegistrations; ++i) {
    ledger::Candidate candidate;
    candidate.identity = fmt::format("identity {}", i);
    candidate.machine = i % evidence::sim::kIntelPlatforms;
    const auto body = ledger::registration_for(network.genesis(), candidate, height, block->hash);
    txs.push_back(ledger::make_tx(network.genesis().chain_id, account->nonce + i, body,
                                  ledger::key_of("operator")));
  }
  const int64_t from = height_of(network[0]);
  const auto began = SteadyClock::now();
  for (const Buffer& tx : txs) {
    // No more than a sender may have waiting.
    for (;;) {
      const auto taken = client.run((*client).broadcast(tx));
      if (taken && taken->code == 0) break;
      must(SteadyClock::now() - began < std::chrono::seconds(60), "registrations are not taken");
    }
  }
  const auto last = client.run((*client).wait_tx(light::tx_id(txs.back()), light::Millis(60'000)));
  must(last && last->code == 0, "a registration was refused");
  const Window done = window(network[0], from, last->height);
  return kRegistrations / done.seconds;
}

void measure(bool ledger, size_t validators) {
  TestCometNetwork network(options_for(validators));
  for (size_t i = 0; i < network.size(); ++i) {
    if (ledger) network[i].start_application();
    network[i].start_engine({}, ledger ? "" : "kvstore");
  }
  const auto deadline = SteadyClock::now() + std::chrono::seconds(60);
  while (height_of(network[0]) < 5) {
    must(SteadyClock::now() < deadline, "the validators make no blocks");
  }
  const Load load(network, ledger);
  const double finality = finality_ms(network, load);
  const int64_t idle_to = height_of(network[0]);
  const Window idle = window(network[0], 3, idle_to);

  boost::asio::io_context context;
  Load flood(network, ledger);
  const int64_t from = height_of(network[0]);
  const auto end = SteadyClock::now() + kLoad;
  for (size_t c = 0; c < kConnections; ++c) {
    boost::asio::co_spawn(context, flood.flood(c, end), [](const std::exception_ptr&) {});
  }
  context.run();
  const Window loaded = window(network[0], from, height_of(network[0]));
  double engines = 0;
  for (size_t i = 0; i < network.size(); ++i) engines += resident_mib(network[i].engine_pid());
  const auto n = static_cast<double>(network.size());
  drain(network);
  const double registrations = ledger ? registrations_a_second(network) : 0;
  fmt::print(
      "{{\"application\":\"{}\",\"validators\":{},\"tx_per_s\":{:.0f},\"registrations_per_s\":{:."
      "0f},"
      "\"idle_block_ms\":{:.0f},\"loaded_block_ms\":{:.0f},\"finality_ms\":{:.0f},"
      "\"engine_mib\":{:.0f},\"application_mib\":{:.0f}}}\n",
      ledger ? "ledger" : "kvstore", validators, static_cast<double>(loaded.txs) / loaded.seconds,
      registrations, 1000 * idle.seconds / static_cast<double>(idle.blocks),
      1000 * loaded.seconds / static_cast<double>(loaded.blocks), finality, engines / n,
      ledger ? resident_mib(::getpid()) / n : 0.0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string application = argc == 3 ? argv[1] : "";
  const size_t validators = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if ((application != "ledger" && application != "kvstore") || validators < 4 || validators > 16) {
    fmt::print(stderr, "usage: bench_consensus ledger|kvstore VALIDATORS (4 to 16)\n");
    return 2;
  }
  if (!find_program()) {
    fmt::print(stderr, "bench_consensus: {}\n", kMissing);
    return 1;
  }
  measure(application == "ledger", validators);
  return 0;
}
