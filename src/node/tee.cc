#include "node/tee.h"

#include <algorithm>

#include "evidence/common/evidence.h"
#include "evidence/sim/amd.h"
#include "evidence/sim/intel.h"

namespace cloister::node {
namespace {

using evidence::Format;
namespace sim = evidence::sim;

std::vector<ledger::EvidenceItem> one_item(Format format, Buffer bytes) {
  ledger::EvidenceItem item;
  item.format = static_cast<uint8_t>(format);
  item.bytes = std::move(bytes);
  return {std::move(item)};
}

// Groups of the named files, each an object with the certificates that sign it.
std::vector<std::vector<Buffer>> groups(
    const sim::Files& files, std::initializer_list<std::initializer_list<const char*>> names) {
  std::vector<std::vector<Buffer>> out;
  for (const auto& group : names) {
    std::vector<Buffer> contents;
    for (const char* name : group) contents.push_back(files.at(name));
    out.push_back(std::move(contents));
  }
  return out;
}

class SimulatedTdx final : public Tee {
 public:
  SimulatedTdx(sim::IntelSimulator intel, const SimulatedTeeConfig& config)
      : intel_(std::move(intel)), platform_(config.platform) {
    td_.mrtd = config.measured.image;
    std::ranges::copy(config.measured.config, td_.mrconfigid.begin());  // 48 bytes, the rest zero
    td_.platform = config.platform;
  }

  std::expected<std::vector<ledger::EvidenceItem>, TeeError> quote(
      const Fixed<64>& report_data) override {
    return one_item(Format::tdx_quote, intel_.quote(td_, report_data));
  }

  std::vector<std::vector<Buffer>> collateral(UnixSeconds now) override {
    auto files = intel_.collateral(now);
    auto pck_chain = intel_.pck_chain(platform_);
    files["pck_chain.pem"] = to_buffer(as_bytes(pck_chain));
    return groups(files, {{"tcb_info.json", "tcb_signing_chain.pem"},
                          {"qe_identity.json", "tcb_signing_chain.pem"},
                          {"root_ca.crl", "tcb_signing_chain.pem"},
                          {"pck_platform_ca.crl", "pck_chain.pem"}});
  }

 private:
  const sim::IntelSimulator intel_;
  const uint32_t platform_;
  sim::TdxParameters td_;
};

class SimulatedSnp final : public Tee {
 public:
  SimulatedSnp(sim::AmdSimulator amd, const SimulatedTeeConfig& config)
      : amd_(std::move(amd)), chip_(config.platform) {
    guest_.measurement = config.measured.image;
    guest_.host_data = config.measured.config;
    guest_.chip = config.platform;
  }

  std::expected<std::vector<ledger::EvidenceItem>, TeeError> quote(
      const Fixed<64>& report_data) override {
    return one_item(Format::snp_report, amd_.report(guest_, report_data));
  }

  std::vector<std::vector<Buffer>> collateral(UnixSeconds now) override {
    return groups(amd_.collateral(chip_, now),
                  {{"vcek.der", "amd_chain.pem"}, {"amd.crl", "amd_chain.pem"}});
  }

 private:
  const sim::AmdSimulator amd_;
  const uint32_t chip_;
  sim::SnpParameters guest_;
};

}  // namespace

std::expected<std::optional<ledger::EvidenceItem>, TeeError> Tee::gpus(const Hash32&) {
  return std::nullopt;
}

std::string_view name(TeeKind kind) {
  switch (kind) {
    case TeeKind::simulated_tdx:
      return "simulated-tdx";
    case TeeKind::simulated_snp:
      return "simulated-snp";
  }
  std::abort();
}

std::optional<TeeKind> tee_kind_from(std::string_view text) {
  for (auto kind : {TeeKind::simulated_tdx, TeeKind::simulated_snp}) {
    if (name(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string_view describe(TeeError error) {
  switch (error) {
    case TeeError::no_hierarchy:
      return "the simulated vendor's keys are missing or broken";
    case TeeError::quote_failed:
      return "the device gave no evidence";
  }
  std::abort();
}

std::expected<std::unique_ptr<Tee>, TeeError> open_simulated_tee(const SimulatedTeeConfig& config) {
  if (config.kind == TeeKind::simulated_tdx) {
    auto intel = sim::IntelSimulator::load(config.hierarchy);
    if (!intel || config.platform >= sim::kIntelPlatforms) {
      return std::unexpected(TeeError::no_hierarchy);
    }
    return std::make_unique<SimulatedTdx>(std::move(*intel), config);
  }
  auto amd = sim::AmdSimulator::load(config.hierarchy);
  if (!amd || config.platform >= sim::kAmdChips) return std::unexpected(TeeError::no_hierarchy);
  return std::make_unique<SimulatedSnp>(std::move(*amd), config);
}

}  // namespace cloister::node
