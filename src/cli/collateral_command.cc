// cloister collateral fetch: gets from the vendors' services what a verification of this evidence
// will look at. `cloister verify` itself never touches a network.
#include <fmt/core.h>

#include <algorithm>

#include "base/files.h"
#include "cli/command.h"
#include "cli/nearest.h"
#include "cli/run_alone.h"
#include "evidence/fetch/fetch.h"
#include "evidence/fetch/plan_nvidia.h"

namespace cloister::cli {
namespace {

namespace fetch = evidence::fetch;

constexpr size_t kMaxChain = 16;

struct FetchArguments {
  std::string evidence;
  std::string format;
  std::string out;
  std::optional<std::string> product;
  std::optional<std::string> pccs;
  std::optional<std::string> chain;
  std::optional<std::string> ca_file;
  std::vector<std::string> connect_to;
  int64_t timeout_s = 20;
};

int unusable(const std::string& what) {
  fmt::print(stderr, "cloister collateral fetch: {}\nTry `cloister collateral fetch --help`.\n",
             what);
  return kExitUsage;
}

int refused(const fetch::FetchFault& fault) {
  fmt::print(stderr, "error: {} {}\n       ({})\n", describe(fault.error), fault.detail,
             name(fault.error));
  return kExitRefused;
}

// "HOST=ADDRESS:PORT"
std::optional<std::pair<std::string, fetch::FetchOptions::Via>> via_from(const std::string& text) {
  const size_t equals = text.find('='), colon = text.rfind(':');
  if (equals == 0 || equals == std::string::npos || colon == std::string::npos || colon < equals) {
    return std::nullopt;
  }
  const std::string digits = text.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const int port = std::stoi(digits);
  if (port == 0 || port > UINT16_MAX || colon == equals + 1) return std::nullopt;
  return std::pair(text.substr(0, equals),
                   fetch::FetchOptions::Via{text.substr(equals + 1, colon - equals - 1),
                                            static_cast<uint16_t>(port)});
}

std::expected<fetch::FetchOptions, std::string> options_from(const FetchArguments& arguments) {
  const auto roots = arguments.ca_file ? http::TlsRoots::from_file(*arguments.ca_file)
                                       : http::TlsRoots::of_system();
  if (!roots) {
    return std::unexpected(arguments.ca_file
                               ? *arguments.ca_file + ": no certificates in PEM form"
                               : std::string("this system has no certificate authorities; give "
                                             "--ca-file"));
  }
  fetch::FetchOptions out{.roots = *roots, .timeout = {}, .via = {}};
  if (arguments.timeout_s < 1 || arguments.timeout_s > 600) {
    return std::unexpected("--timeout takes 1 to 600 seconds");
  }
  out.timeout = std::chrono::seconds(arguments.timeout_s);
  for (const std::string& text : arguments.connect_to) {
    const auto via = via_from(text);
    if (!via) return std::unexpected("--connect-to takes HOST=ADDRESS:PORT, not " + text);
    out.via.insert(*via);
  }
  return out;
}

// Everything in two rounds: NVIDIA's manifests bring chains whose revocation is asked about then.
std::expected<std::vector<fetch::File>, fetch::FetchFault> fetch_files(
    const evidence::Evidence& evidence, const fetch::PlanOptions& plan_options,
    const fetch::FetchOptions& options, std::vector<fetch::File> out) {
  const auto wanted = fetch::plan(evidence, plan_options);
  if (!wanted) return std::unexpected(wanted.error());
  auto files = run_alone(fetch::fetch_all(*wanted, options));
  if (!files) return files;
  std::vector<std::string> manifests;
  for (const fetch::File& file : *files) {
    if (file.name.ends_with("_rim.xml")) manifests.emplace_back(as_text(file.content));
  }
  std::ranges::move(*files, std::back_inserter(out));
  const auto more = fetch::plan_manifest_revocation(manifests);
  if (!more) return std::unexpected(more.error());
  auto answers = run_alone(fetch::fetch_all(*more, options));
  if (!answers) return answers;
  std::ranges::move(*answers, std::back_inserter(out));
  return out;
}

int run(const FetchArguments& arguments) {
  const auto format = evidence::format_from(arguments.format);
  if (!format) return unusable("no format " + arguments.format);
  const auto options = options_from(arguments);
  if (!options) return unusable(options.error());
  auto bytes = read_file(arguments.evidence, evidence::kMaxEvidenceBytes);
  if (!bytes) return unusable(arguments.evidence + ": " + std::string(describe(bytes.error())));

  fetch::PlanOptions plan_options{
      .product = arguments.product, .pccs = arguments.pccs, .device_chain = {}};
  std::vector<fetch::File> given;
  if (arguments.chain) {
    auto pem = read_file(*arguments.chain, evidence::kMaxCollateralFileBytes);
    if (!pem) return unusable(*arguments.chain + ": " + std::string(describe(pem.error())));
    auto certificates = crypto::certificates_from_pem(as_text(*pem), kMaxChain);
    if (!certificates) return unusable(*arguments.chain + ": no certificates in PEM form");
    plan_options.device_chain = std::move(*certificates);
    given.push_back({"device_chain.pem", std::move(*pem)});
  }
  const auto files =
      fetch_files({*format, std::move(*bytes)}, plan_options, *options, std::move(given));
  if (!files) return refused(files.error());
  if (const auto wrote = fetch::write_folder(arguments.out, *files); !wrote) {
    return refused(wrote.error());
  }
  for (const fetch::File& file : *files) {
    fmt::print("{}/{}  {} bytes\n", arguments.out, file.name, file.content.size());
  }
  fmt::print(
      "Not verified yet: cloister verify {} --format {} --collateral {} --time $(date +%s)\n",
      arguments.evidence, arguments.format, arguments.out);
  return kExitOk;
}

}  // namespace

Command add_collateral(CLI::App& program) {
  CLI::App* app = program.add_subcommand("collateral", "Get what verification of evidence needs");
  app->require_subcommand(1);
  CLI::App* fetch = app->add_subcommand(
      "fetch",
      "Ask Intel's, AMD's or NVIDIA's service, or a PCCS, for the collateral of one piece of "
      "evidence and "
      "write it into a folder. Exit code 0: written, 1: could not be had, 2: unusable arguments");
  auto arguments = std::make_shared<FetchArguments>();
  fetch->add_option("EVIDENCE", arguments->evidence, "file as the device gave it")->required();
  fetch->add_option("--format", arguments->format, "as for `cloister verify`")->required();
  fetch->add_option("--out", arguments->out, "folder to write; absent or empty")->required();
  fetch->add_option("--product", arguments->product,
                    "AMD product line of a version 2 report: Milan or Genoa");
  fetch->add_option("--pccs", arguments->pccs, "HOST or HOST:PORT of a PCCS, in Intel's place");
  fetch->add_option("--chain", arguments->chain,
                    "PEM file with the five certificates of an NVIDIA device");
  fetch->add_option("--ca-file", arguments->ca_file,
                    "PEM file of the certificate authorities to believe, instead of the system's");
  fetch->add_option("--connect-to", arguments->connect_to,
                    "HOST=ADDRESS:PORT: connect there for HOST, for instance through a tunnel");
  fetch->add_option("--timeout", arguments->timeout_s, "seconds for each object (20)");
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace cloister::cli
