// The identity of Intel's quoting enclave, version 2 (Intel PCS v4): which enclave may sign quotes,
// and which of its versions count as what. Nothing is believed before its signature holds.
#pragma once

#include "evidence/dcap/signed_json.h"
#include "evidence/dcap/tcb_facts.h"

namespace cloister::evidence::dcap {

struct QeIdentity {
  SignedJson document;
  Tee tee;  // id "QE" or "TD_QE"
  UnixSeconds issue_date;
  UnixSeconds next_update;
  uint64_t evaluation_number;
  Fixed<4> misc_select;  // in the byte order of the report
  Fixed<4> misc_select_mask;
  Fixed<16> attributes;
  Fixed<16> attributes_mask;
  Fixed<32> mr_signer;
  uint16_t isv_prod_id;
  std::vector<EnclaveLevel> levels;  // highest first
};

// Whether both, of one TEE, judge every enclave alike: only dates, the evaluation number, which
// says nothing of an enclave, and signatures differ.
bool judges_alike(const QeIdentity& a, const QeIdentity& b);

// `malformed`, or `unsupported` for another version or the identity of another enclave ("QVE").
Result<QeIdentity> parse_qe_identity(std::string_view document);

// MRSIGNER, product id, MISCSELECT and ATTRIBUTES under their masks. The DEBUG bit must be clear
// whatever the mask says. The SVN is judged by the TCB levels instead.
bool matches(const QeIdentity& identity, const QuotingEnclaveFacts& qe);

}  // namespace cloister::evidence::dcap
