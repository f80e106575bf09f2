// One verification under the simulated Intel, from parameters of which a test bends one: everything
// is signed as it should be, so that only the check under test can refuse.
#pragma once

#include <functional>

#include "evidence/common/evidence.h"
#include "evidence/dcap/tee.h"
#include "evidence/sim/intel.h"

namespace cloister::evidence::dcap {

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86'400;
const Fixed<64> kReportData = {1, 2, 3};

const sim::IntelSimulator& hierarchy();

struct Scenario {
  Scenario();

  // --- the quote
  Tee tee = Tee::tdx;
  sim::IntelTdReport td;
  sim::IntelEnclave enclave;  // for SGX
  uint16_t sgx_version = 3;
  sim::IntelQuotingEnclave qe;
  const crypto::PrivateKey* pck_key;  // signs the QE report
  crypto::Certificate leaf, intermediate, root;
  std::function<void(std::string&)> bend_pck_pem;
  std::function<void(Buffer&)> bend_quote;

  // --- the collateral; an empty list or optional leaves that piece out
  sim::IntelTcbInfo info;
  sim::IntelQeIdentity identity;
  const crypto::PrivateKey* info_key;                // signs the TCB info
  const crypto::PrivateKey* identity_key;            // signs the QE identity
  std::function<void(std::string&)> bend_info_body;  // before it is signed
  std::function<void(std::string&)> bend_info_document;
  std::function<void(std::string&)> bend_identity_body;
  std::vector<crypto::Certificate> signers;
  std::optional<crypto::Crl> root_crl, pck_crl;

  VerifyPolicy policy;
  Binding binding = Binding::report_data(kReportData);
  UnixSeconds now = kNow;

  Verification judge() const;
  Buffer quote() const;
  std::string info_document() const;
  std::string identity_document() const;
};

// The same platform's enclave: SGX collateral of the same hierarchy.
Scenario sgx_scenario(uint16_t version);

sim::IntelWindow good_window();
crypto::Crl crl_of(const sim::IntelAuthority& issuer, const std::vector<Buffer>& revoked,
                   sim::IntelWindow window = good_window());

// What a CRL of the simulator would never be.
struct OddCrl {
  bool next_update = true;
  bool authority_key_id = true;
  bool number = true;
  bool unknown_critical = false;
};
crypto::Crl odd_crl(const sim::IntelAuthority& issuer, const OddCrl& form);

// A certificate for `key` from `issuer` (null: self-signed) in the simulator's form.
crypto::Certificate reissue(const sim::IntelCertificate& parameters, const crypto::PrivateKey& key,
                            const sim::IntelAuthority* issuer);
void replace_once(std::string& text, std::string_view find, std::string_view with);

}  // namespace cloister::evidence::dcap
