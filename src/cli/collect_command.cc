// cloister collect: evidence of this machine, as a bundle for `cloister verify --format bundle`.
#include <fmt/core.h>

#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "evidence/bundle/cmw.h"
#include "evidence/collect/guest.h"
#include "evidence/collect/nvml.h"
#include "evidence/collect/tpm.h"

namespace cloister::cli {
namespace {

namespace collect = evidence::collect;
namespace bundle = evidence::bundle;

struct CollectArguments {
  std::string report_data;
  std::optional<std::string> gpu_nonce, tpm_nonce, tpm_key_out;
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

using Nonce = std::optional<Fixed<32>>;

// All PCRs of the bank of SHA-256.
collect::Collected<collect::TpmEvidence> tpm_evidence(const Fixed<32>& nonce) {
  ::setenv("TSS2_LOG", "all+none", 0);  // the fault says what failed
  evidence::PcrSelection all;
  for (uint8_t i = 0; i < 24; ++i) all.indices.push_back(i);
  return collect::tpm_quote(nonce, all);
}

struct Gathered {
  bundle::Bundle bundle;
  std::string tpm_key;  // PEM; empty unless the TPM was asked
};

collect::Collected<Gathered> gather(const collect::ReportData& report_data, const Nonce& gpu_nonce,
                                    const Nonce& tpm_nonce) {
  Gathered all;
  if (tpm_nonce) {
    auto tpm = tpm_evidence(*tpm_nonce);
    if (!tpm) return std::unexpected(tpm.error());
    all.bundle.items.push_back({"tpm", std::move(tpm->evidence)});
    all.tpm_key = tpm->attestation_key.to_pem();
  }
  bundle::Bundle& out = all.bundle;
  auto guest = collect::guest_evidence(report_data);
  if (!guest) return std::unexpected(guest.error());
  out.items.push_back({"cpu", std::move(guest->evidence)});
  if (!gpu_nonce) return all;
  auto gpus = collect::gpu_evidence(*gpu_nonce);
  if (!gpus) return std::unexpected(gpus.error());
  for (size_t i = 0; i < gpus->size(); ++i) {
    out.items.push_back({"gpus/" + std::to_string(i), std::move((*gpus)[i].evidence)});
    out.collateral.push_back(std::move((*gpus)[i].device_chain));
  }
  return all;
}

// Nothing given is nothing asked; else 32 bytes, or nothing inside.
std::optional<Nonce> nonce_from(const std::optional<std::string>& hex) {
  if (!hex) return Nonce();
  const auto nonce = fixed_from_hex<32>(*hex);
  return nonce ? std::optional<Nonce>(nonce) : std::nullopt;
}

int write(const std::string& path, std::string_view text) {
  const auto wrote = write_file(path, as_bytes(text), FileMode::shared);
  return wrote ? kExitOk : unusable(path + ": " + std::string(describe(wrote.error())));
}

int run(const CollectArguments& arguments) {
  const auto report_data = fixed_from_hex<64>(arguments.report_data);
  if (!report_data) return unusable("--report-data takes 64 bytes as 128 hexadecimal digits");
  const auto gpu_nonce = nonce_from(arguments.gpu_nonce),
             tpm_nonce = nonce_from(arguments.tpm_nonce);
  if (!gpu_nonce) return unusable("--gpu-nonce takes 32 bytes as 64 hexadecimal digits");
  if (!tpm_nonce) return unusable("--tpm-nonce takes 32 bytes as 64 hexadecimal digits");
  if (arguments.tpm_nonce.has_value() != arguments.tpm_key_out.has_value()) {
    return unusable("--tpm-nonce and --tpm-key-out go together");
  }
  const auto gathered = gather(*report_data, *gpu_nonce, *tpm_nonce);
  if (!gathered) return refused(gathered.error());
  if (const int failed = write(arguments.out, bundle::to_json(gathered->bundle));
      failed != kExitOk) {
    return failed;
  }
  if (arguments.tpm_key_out) {
    const int failed = write(*arguments.tpm_key_out, gathered->tpm_key);
    if (failed != kExitOk) return failed;
  }
  fmt::print("{}: {} pieces of evidence\n", arguments.out, gathered->bundle.items.size());
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
  app->add_option("--tpm-nonce", arguments->tpm_nonce,
                  "ask the TPM too, with this challenge of 32 bytes in hex");
  app->add_option("--tpm-key-out", arguments->tpm_key_out,
                  "where the TPM's attestation key goes; who relies on the quote must know it");
  app->add_option("--out", arguments->out, "file to write")->required();
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace cloister::cli
