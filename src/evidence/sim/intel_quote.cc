#include "crypto/hash.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::sim {
namespace {

constexpr Fixed<16> kVendor = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                               0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

void write_header(ByteWriter& out, uint16_t version) {
  out.u16_le(version).u16_le(2).u32_le(0x81).zeros(4).bytes(kVendor).zeros(20);
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

}  // namespace

Buffer encode_tdx_quote(const IntelTdReport& td, const IntelQuotingEnclave& qe,
                        const crypto::PrivateKey& attestation_key,
                        const crypto::PrivateKey& pck_key, std::string_view pck_chain) {
  ByteWriter quote;
  write_header(quote, td.td_1_5 ? 5 : 4);
  if (td.td_1_5) quote.u16_le(3).u32_le(648);
  write_td_report(quote, td);
  const Buffer signature = attestation_key.sign_ecdsa(quote.view());

  const Buffer key = attestation_key.public_xy();
  crypto::Sha256 bound;
  bound.update(key).update(qe.authentication_data);
  const Buffer report = qe_report(qe, bound.finish());
  ByteWriter certification;
  certification.bytes(report).bytes(pck_key.sign_ecdsa(report));
  certification.u16_le(static_cast<uint16_t>(qe.authentication_data.size()));
  certification.bytes(qe.authentication_data);
  certification.u16_le(5).u32_le(static_cast<uint32_t>(pck_chain.size())).text(pck_chain);

  ByteWriter authentication;
  authentication.bytes(signature).bytes(key);
  authentication.u16_le(6).u32_le(static_cast<uint32_t>(certification.size()));
  authentication.bytes(certification.view());
  quote.u32_le(static_cast<uint32_t>(authentication.size())).bytes(authentication.view());
  return quote.take();
}

}  // namespace cloister::evidence::sim
