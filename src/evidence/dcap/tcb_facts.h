// Of a quote and its PCK certificate, what Intel's documents judge. Nothing else in a quote comes
// to mean something else when Intel issues new ones.
#pragma once

#include "evidence/dcap/pck.h"
#include "evidence/dcap/quote.h"

namespace cloister::evidence::dcap {

struct QuotingEnclaveFacts {
  Fixed<4> misc_select{};
  Fixed<16> attributes{};
  Fixed<32> mr_signer{};
  uint16_t isv_prod_id = 0;
  uint16_t isv_svn = 0;
  bool operator==(const QuotingEnclaveFacts&) const = default;
};

// The TDX module under a TD.
struct ModuleFacts {
  Fixed<16> tee_tcb_svn{};  // [0] module ISVSVN, [1] module version, [2] SEAMLDR
  Fixed<48> mr_signer_seam{};
  Fixed<8> seam_attributes{};
  std::optional<Fixed<16>> tee_tcb_svn_2;  // TD 1.5: of the module that runs now
  bool operator==(const ModuleFacts&) const = default;
};

struct TcbFacts {
  Tee tee{};
  Fixed<6> fmspc{};
  Fixed<2> pce_id{};
  Fixed<16> cpu_svn{};
  uint16_t pce_svn = 0;
  QuotingEnclaveFacts qe;
  std::optional<ModuleFacts> module;  // set for TDX

  // The members in this order, numbers big-endian, an optional one after u8 0 or 1.
  Buffer encode() const;
  static std::optional<TcbFacts> decode(Bytes bytes);
  bool operator==(const TcbFacts&) const = default;
};

TcbFacts facts_of(Tee tee, const Quote& quote, const PckExtension& platform);

}  // namespace cloister::evidence::dcap
