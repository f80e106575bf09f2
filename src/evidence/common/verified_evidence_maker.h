// The one way to make a VerifiedEvidence. Only the verifiers of src/evidence include this header,
// each at the end of an accepting verification; everybody else receives the type and can trust it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

class VerifiedEvidenceMaker {
 public:
  // Every member is set by every verifier; the names are those of VerifiedEvidence's accessors.
  struct Fields {
    Format format{};
    bool development = false;
    TcbStatus status{};
    std::vector<std::string> advisories;
    Buffer report_data;
    Buffer nonce;
    Buffer measurement;
    std::vector<Buffer> runtime_measurements;
    Buffer configuration;
    Buffer platform_id;
    uint64_t tcb_evaluation_number = 0;
    std::string product, driver_version, firmware_version;
    UnixSeconds valid_until = 0;
    std::optional<Standing> standing;
  };

  static VerifiedEvidence make(Fields fields);
};

}  // namespace cloister::evidence
