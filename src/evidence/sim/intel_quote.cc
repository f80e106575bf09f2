#include "crypto/hash.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::sim {
namespace {

constexpr Fixed<16> kVendor = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                               0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

void write_header(ByteWriter& out, uint16_t version, uint32_t tee) {
  out.u16_le(version).u16_le(2).u32_le(tee).zeros(4).bytes(kVendor).zeros(20);
}

void write_td_report(ByteWriter& out, const IntelTdReport& td) {
  out.bytes(td.tee_tcb_svn).bytes(td.mr_seam).bytes(td.mr_signer_seam);
  out.u64_le(td.seam_attributes).u64_le(td.td_attributes).u64_le(td.xfam);
  out.bytes(td.mr_td).bytes(td.mr_config_id).bytes(td.mr_owner).bytes(td.mr_owner_config);
  for (const Fixed<48>& rtmr : td.rtmr) out.bytes(rtmr);
  out.bytes(td.report_data);
  if (td.td_1_5) out.bytes(td.tee_tcb_svn_2).bytes(td.mr_service_td);
}

Buffer qe_report(const IntelQuotingEnclave& qe, const Hash32& bound) {
  ByteWriter out;
  out.zeros(16).bytes(qe.misc_select).zeros(28).bytes(qe.attributes).zeros(64);
  out.bytes(qe.mr_signer).zeros(96).u16_le(qe.isv_prod_id).u16_le(qe.isv_svn).zeros(60);
  return out.bytes(bound).zeros(32).take();
}

void write_enclave_report(ByteWriter& out, const IntelEnclave& enclave) {
  out.bytes(enclave.cpu_svn).bytes(enclave.misc_select).zeros(28).bytes(enclave.attributes);
  out.bytes(enclave.mr_enclave).zeros(32).bytes(enclave.mr_signer).zeros(96);
  out.u16_le(enclave.isv_prod_id).u16_le(enclave.isv_svn).zeros(60).bytes(enclave.report_data);
}

// QE report, its signature, the QE's own data, the PCK chain.
Buffer certification_data(Bytes key, const IntelQuoteSigner& signer) {
  const Buffer& own_data = signer.qe.authentication_data;
  crypto::Sha256 bound;
  bound.update(key).update(own_data);
  const Buffer report = qe_report(signer.qe, bound.finish());
  ByteWriter out;
  out.bytes(report).bytes(signer.pck_key.sign_ecdsa(report));
  out.u16_le(static_cast<uint16_t>(own_data.size())).bytes(own_data);
  out.u16_le(5).u32_le(static_cast<uint32_t>(signer.pck_chain.size())).text(signer.pck_chain);
  return out.take();
}

// Signs what stands in `quote` and appends the authentication data.
Buffer sign_quote(ByteWriter quote, uint16_t version, const IntelQuoteSigner& signer) {
  const Buffer key = signer.attestation_key.public_xy();
  const Buffer certification = certification_data(key, signer);
  ByteWriter authentication;
  authentication.bytes(signer.attestation_key.sign_ecdsa(quote.view())).bytes(key);
  if (version > 3) {
    authentication.u16_le(6).u32_le(static_cast<uint32_t>(certification.size()));
  }
  authentication.bytes(certification);
  quote.u32_le(static_cast<uint32_t>(authentication.size())).bytes(authentication.view());
  return quote.take();
}

}  // namespace

Buffer encode_tdx_quote(const IntelTdReport& td, const IntelQuoteSigner& signer) {
  const uint16_t version = td.td_1_5 ? 5 : 4;
  ByteWriter quote;
  write_header(quote, version, 0x81);
  if (td.td_1_5) quote.u16_le(3).u32_le(648);
  write_td_report(quote, td);
  return sign_quote(std::move(quote), version, signer);
}

Buffer encode_sgx_quote(const IntelEnclave& enclave, uint16_t version,
                        const IntelQuoteSigner& signer) {
  ByteWriter quote;
  write_header(quote, version, 0);
  if (version == 5) quote.u16_le(1).u32_le(384);
  write_enclave_report(quote, enclave);
  return sign_quote(std::move(quote), version, signer);
}

}  // namespace cloister::evidence::sim
