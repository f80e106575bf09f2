// Verifies one piece of evidence.
//   verify FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...
// Prints the verdict; exit status 0: accepted, 1: rejected, 2: unusable arguments.
//
// A program of yours expects something: Binding::report_data(…) or Binding::nonce(…).
#include <cloister/verify.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

namespace attestation = cloister::attestation;

namespace {

using File = std::vector<std::uint8_t>;

std::optional<File> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  File out{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) return std::nullopt;
  return out;
}

int unusable(const std::string& what) {
  std::cerr << what << "\n";
  return 2;
}

int print(const attestation::Report& report) {
  if (report.development()) std::cout << "development: " << *report.development() << "\n";
  if (report.accepted()) {
    std::cout << "accepted, status " << report.status().value_or("none") << "\n";
    return 0;
  }
  std::cout << "rejected: " << *report.error() << ": " << report.detail() << "\n";
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return unusable("usage: verify FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...");
  auto verifier = attestation::Verifier::create();
  if (!verifier) return unusable(cloister_describe(verifier.error()));
  for (int i = 4; i < count; ++i) {
    const auto file = read_file(arguments[i]);
    if (!file) return unusable(std::string(arguments[i]) + ": cannot be read");
    if (const auto added = verifier->add_collateral(*file); !added) {
      return unusable(std::string(arguments[i]) + ": " + cloister_describe(added.error()));
    }
  }
  const auto evidence = read_file(arguments[2]);
  if (!evidence) return unusable(std::string(arguments[2]) + ": cannot be read");
  const auto report = verifier->verify(
      arguments[1], *evidence, attestation::Binding::not_compared(), std::stoll(arguments[3]));
  return report ? print(*report) : unusable(cloister_describe(report.error()));
}
