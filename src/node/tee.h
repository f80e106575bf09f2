// The machine that the node runs in, as far as it vouches for it: evidence over 64 bytes of report
// data. The simulated ones speak the true formats under a development root and protect nothing.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "base/seams.h"
#include "ledger/types/instance.h"

namespace cloister::node {

enum class TeeKind : uint8_t { simulated_tdx, simulated_snp };
std::string_view name(TeeKind kind);  // "simulated-tdx"
std::optional<TeeKind> tee_kind_from(std::string_view name);

enum class TeeError : uint8_t { no_hierarchy, quote_failed };
std::string_view describe(TeeError error);

// What the machine measured at launch.
struct Measured {
  Fixed<48> image{};  // of the program
  Hash32 config{};    // digest of the effective configuration
};

class Tee {
 public:
  virtual ~Tee() = default;
  // Evidence whose report data is `report_data`. Callable from any thread.
  virtual std::expected<std::vector<ledger::EvidenceItem>, TeeError> quote(
      const Fixed<64>& report_data) = 0;
  // The machine's GPUs, which answer `nonce`, as the last item of a registration's evidence
  // (30-channels, section 1); nothing on a machine without any.
  virtual std::expected<std::optional<ledger::EvidenceItem>, TeeError> gpus(const Hash32& nonce);
  // Vendor-signed collateral under which the evidence verifies now, as files in the order in which
  // the ledger takes them; each inner list is one `put_collateral`.
  virtual std::vector<std::vector<Buffer>> collateral(UnixSeconds now) = 0;
};

struct SimulatedTeeConfig {
  TeeKind kind = TeeKind::simulated_tdx;
  std::filesystem::path hierarchy;  // folder with the simulated vendor's keys
  uint32_t platform = 0;            // which of its machines this is
  Measured measured;
};
std::expected<std::unique_ptr<Tee>, TeeError> open_simulated_tee(const SimulatedTeeConfig& config);

}  // namespace cloister::node
