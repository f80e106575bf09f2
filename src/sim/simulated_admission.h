// Admission of simulated platforms: evidence is its report data and the number of the machine.
#pragma once

#include <set>

#include "ledger/state/admission.h"

namespace cloister::sim {

class SimulatedAdmission final : public ledger::AdmissionVerifier {
 public:
  std::set<uint32_t> bad;  // machines whose TCB level is no longer accepted

  static ledger::EvidenceItem evidence(const Fixed<64>& report_data, uint32_t machine);

  std::expected<std::vector<ledger::Platform>, ledger::Code> admit(
      const ledger::AdmissionInput& input) const override;
  ledger::Code reassess(const ledger::Platform& platform, const ledger::NetworkPolicy& policy,
                        uint64_t height) const override;
  std::expected<ledger::CollateralRecord, ledger::Code> verify_collateral(
      std::span<const Buffer> files, const ledger::Genesis& genesis,
      UnixSeconds now) const override;
};

}  // namespace cloister::sim
