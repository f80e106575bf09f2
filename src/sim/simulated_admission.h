// Admission of simulated platforms: evidence is its report data and the number of the machine.
#pragma once

#include <set>

#include "ledger/state/admission.h"

namespace cloister::sim {

class SimulatedAdmission final : public ledger::AdmissionVerifier {
 public:
  std::set<uint32_t> revoked;  // machines whose keys their vendor has taken back

  static ledger::EvidenceItem evidence(const Fixed<64>& report_data, uint32_t machine);

  std::expected<ledger::Admitted, ledger::Code> admit(
      const ledger::AdmissionInput& input) const override;
  ledger::Code reassess(const ledger::Platform& platform, const ledger::NetworkPolicy& policy,
                        uint64_t height) const override;
  std::expected<ledger::CollateralRecord, ledger::Code> verify_collateral(
      std::span<const Buffer> files, const ledger::Genesis& genesis,
      UnixSeconds now) const override;
  bool changes_standing(const ledger::CollateralRecord& earlier,
                        const ledger::CollateralRecord& later) const override;
  ledger::StandingJudge standing_judge(ledger::CollateralLookup collateral) const override;
};

}  // namespace cloister::sim
