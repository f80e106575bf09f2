#include "evidence/common/verified_evidence_maker.h"

namespace cloister::evidence {

VerifiedEvidence VerifiedEvidenceMaker::make(Fields fields) {
  VerifiedEvidence out;
  out.format_ = fields.format;
  out.development_ = fields.development;
  out.status_ = fields.status;
  out.advisories_ = std::move(fields.advisories);
  out.report_data_ = std::move(fields.report_data);
  out.nonce_ = std::move(fields.nonce);
  out.measurement_ = std::move(fields.measurement);
  out.runtime_measurements_ = std::move(fields.runtime_measurements);
  out.configuration_ = std::move(fields.configuration);
  out.platform_id_ = std::move(fields.platform_id);
  out.tcb_evaluation_number_ = fields.tcb_evaluation_number;
  out.product_ = std::move(fields.product);
  out.driver_version_ = std::move(fields.driver_version);
  out.firmware_version_ = std::move(fields.firmware_version);
  out.valid_until_ = fields.valid_until;
  out.standing_ = std::move(fields.standing);
  return out;
}

}  // namespace cloister::evidence
