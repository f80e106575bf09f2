// cloister collect: evidence of this machine, as a bundle for `cloister verify --format bundle`.
#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "evidence/bundle/cmw.h"
#include "evidence/collect/guest.h"
#include "evidence/collect/nvml.h"

namespace cloister::cli {
namespace {

namespace collect = evidence::collect;
namespace bundle = evidence::bundle;

struct CollectArguments {
  std::string report_data;
  std::optional<std::string> gpu_nonce;
  std::string out;
};

int unusable(const std::string& what) {
  fmt::print(stderr, "cloister collect: {}\nTry `cloister collect --help`.\n", what);
  return kExitUsage;
}

int refused(const collect::CollectFault& fault) {
  fmt::print(stderr, "error: {} {}\n       ({}; cloister doctor says what to do)\n",
             describe(fault.error), fault.detail, name(fault.error));
  return kExitRefused;
}

collect::Collected<bundle::Bundle> gather(const collect::ReportData& report_data,
                                          const std::optional<Fixed<32>>& gpu_nonce) {
  bundle::Bundle out;
  auto guest = collect::guest_evidence(report_data);
  if (!guest) return std::unexpected(guest.error());
  out.items.push_back({"cpu", std::move(guest->evidence)});
  if (!gpu_nonce) return out;
  auto gpus = collect::gpu_evidence(*gpu_nonce);
  if (!gpus) return std::unexpected(gpus.error());
  for (size_t i = 0; i < gpus->size(); ++i) {
    out.items.push_back({"gpus/" + std::to_string(i), std::move((*gpus)[i].evidence)});
    out.collateral.push_back(std::move((*gpus)[i].device_chain));
  }
  return out;
}

int run(const CollectArguments& arguments) {
  const auto report_data = fixed_from_hex<64>(arguments.report_data);
  if (!report_data) return unusable("--report-data takes 64 bytes as 128 hexadecimal digits");
  std::optional<Fixed<32>> nonce;
  if (arguments.gpu_nonce) {
    nonce = fixed_from_hex<32>(*arguments.gpu_nonce);
    if (!nonce) return unusable("--gpu-nonce takes 32 bytes as 64 hexadecimal digits");
  }
  const auto gathered = gather(*report_data, nonce);
  if (!gathered) return refused(gathered.error());
  const std::string text = bundle::to_json(*gathered);
  if (const auto wrote = write_file(arguments.out, as_bytes(text), FileMode::shared); !wrote) {
    return unusable(arguments.out + ": " + std::string(describe(wrote.error())));
  }
  fmt::print("{}: {} pieces of evidence\n", arguments.out, gathered->items.size());
  return kExitOk;
}

}  // namespace

Command add_collect(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "collect",
      "Ask this machine for evidence about itself and write it as a bundle. Exit code 0: written, "
      "1: it could not be had, 2: unusable arguments");
  auto arguments = std::make_shared<CollectArguments>();
  app->add_option("--report-data", arguments->report_data, "what the guest signs, 64 bytes in hex")
      ->required();
  app->add_option("--gpu-nonce", arguments->gpu_nonce,
                  "ask the NVIDIA GPUs too, with this challenge of 32 bytes in hex");
  app->add_option("--out", arguments->out, "file to write")->required();
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace cloister::cli
