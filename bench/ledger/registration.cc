// Measures what the registration of an instance with a TDX quote costs the ledger, with the true
// verifier over a simulated Intel.
//
//   bench_registration   one line of JSON; times in microseconds
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "ledger/admit/ledger_testing.h"

namespace {

using namespace cloister;
using namespace cloister::ledger;
using SteadyClock = std::chrono::steady_clock;

constexpr int kRounds = 20;
constexpr uint32_t kMachines = evidence::sim::kIntelPlatforms;  // each registers once a round

void must(bool held, const char* what) {
  if (held) return;
  fmt::print(stderr, "bench_registration: {}\n", what);
  std::exit(1);
}

double micros_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

// One ECDSA P-256 verification, of which a quote with its collateral asks for ten.
double p256_micros() {
  const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const Buffer message(600, 7);
  const Buffer signature = key.sign_ecdsa(message);
  const Buffer point = key.public_xy();
  constexpr int kTimes = 200;
  bool held = true;
  const auto start = SteadyClock::now();
  for (int i = 0; i < kTimes; ++i) {
    held = held && crypto::verify_ecdsa(crypto::Curve::p256, point, message, signature);
  }
  must(held, "a good signature was refused");
  return micros_since(start) / kTimes;
}

// The block with a registration, without what an empty block costs.
double registration_micros() {
  TestLedger ledger;
  ledger.bond("operator");
  ledger.put_all(intel_collateral(ledger.now()));
  double took = 0, empty = 0;
  for (uint32_t machine = 0; machine < kMachines; ++machine) {
    Candidate candidate;
    candidate.machine = machine;
    candidate.identity = "identity " + std::to_string(machine);
    const Buffer tx = ledger.tx("operator", ledger.registration(candidate));
    auto start = SteadyClock::now();
    const BlockResult result = ledger.block({tx});
    took += micros_since(start);
    must(result.txs.back().code == Code::ok, result.txs.back().log.c_str());
    start = SteadyClock::now();
    ledger.block();
    empty += micros_since(start);
  }
  return (took - empty) / kMachines;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main() {
  std::vector<double> registrations, verifications;
  for (int i = 0; i < kRounds; ++i) {
    registrations.push_back(registration_micros());
    verifications.push_back(p256_micros());
  }
  fmt::print(R"({{"register_us": {:.0f}, "p256_us": {:.1f}}})"
             "\n",
             median(registrations), median(verifications));
}
