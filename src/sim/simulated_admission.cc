#include "sim/simulated_admission.h"

namespace cloister::sim {

using namespace ledger;

EvidenceItem SimulatedAdmission::evidence(const Fixed<64>& report_data, uint32_t machine) {
  EvidenceItem out;
  out.format = machine % 2 == 0 ? 1 : 3;  // two vendors
  out.bytes = ByteWriter().bytes(report_data).u32_be(machine).take();
  return out;
}

std::expected<Admitted, Code> SimulatedAdmission::admit(const AdmissionInput& input) const {
  Admitted out;
  for (const EvidenceItem& item : input.evidence) {
    ByteReader reader(item.bytes);
    const auto report_data = reader.fixed<64>();
    const auto machine = reader.u32_be();
    if (!report_data || !machine || !reader.done()) {
      return std::unexpected(Code::evidence_malformed);
    }
    if (*report_data != input.report_data) {
      return std::unexpected(Code::evidence_report_data_mismatch);
    }
    if (revoked.contains(*machine)) return std::unexpected(Code::evidence_revoked);
    Platform platform;
    platform.format = item.format;
    platform.product = item.format == 1 ? "TDX" : "Genoa";
    platform.id_hash =
        platform_id_hash(input.genesis.chain_id, item.format, ByteWriter().u32_be(*machine).view());
    platform.tcb_status = 1;
    platform.development = true;
    out.platforms.push_back(std::move(platform));
    out.standings.push_back(ByteWriter().u32_be(*machine).take());
  }
  return out;
}

Code SimulatedAdmission::reassess(const Platform&, const NetworkPolicy&, uint64_t) const {
  return Code::ok;
}

std::expected<CollateralRecord, Code> SimulatedAdmission::verify_collateral(std::span<const Buffer>,
                                                                            const Genesis&,
                                                                            UnixSeconds) const {
  return std::unexpected(Code::collateral_malformed);
}

bool SimulatedAdmission::changes_standing(const CollateralRecord&, const CollateralRecord&) const {
  return false;
}

StandingJudge SimulatedAdmission::standing_judge(CollateralLookup) const {
  return [revoked = revoked](Platform&, Bytes standing) -> StandingVerdict {
    const auto machine = ByteReader(standing).u32_be();
    if (!machine || !revoked.contains(*machine)) return {};
    return {Code::evidence_revoked, true};
  };
}

}  // namespace cloister::sim
