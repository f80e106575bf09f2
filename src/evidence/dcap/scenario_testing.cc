#include "evidence/dcap/scenario_testing.h"

#include <stdexcept>

#include "evidence/dcap/verify.h"

namespace cloister::evidence::dcap {
namespace {

using sim::IntelAuthority;

Buffer tagged(uint8_t tag, Bytes contents) {
  ByteWriter out;
  out.u8(tag);
  if (contents.size() < 0x80) {
    out.u8(static_cast<uint8_t>(contents.size()));
  } else if (contents.size() < 0x100) {
    out.u8(0x81).u8(static_cast<uint8_t>(contents.size()));
  } else {
    out.u8(0x82).u16_be(static_cast<uint16_t>(contents.size()));
  }
  return out.bytes(contents).take();
}

Buffer sequence(std::initializer_list<Buffer> items) {
  ByteWriter out;
  for (const Buffer& item : items) out.bytes(item);
  return tagged(0x30, out.view());
}

Buffer oid(std::initializer_list<uint8_t> arcs) {
  return tagged(0x06, Buffer(arcs));
}
Buffer octets(const Buffer& contents) {
  return tagged(0x04, contents);
}
Buffer utc_time(std::string_view text) {
  return tagged(0x17, as_bytes(text));
}

Buffer der_integer(Bytes magnitude) {
  while (magnitude.size() > 1 && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  Buffer out = to_buffer(magnitude);
  if (out[0] >= 0x80) out.insert(out.begin(), 0);
  return tagged(0x02, out);
}

Buffer crl_extensions(const OddCrl& form) {
  ByteWriter out;
  if (form.authority_key_id) {
    const Buffer key_id = sequence({tagged(0x80, Buffer(20, 7))});
    out.bytes(sequence({oid({0x55, 0x1d, 0x23}), octets(key_id)}));
  }
  if (form.number) out.bytes(sequence({oid({0x55, 0x1d, 0x14}), octets({0x02, 1, 9})}));
  if (form.unknown_critical) {
    out.bytes(sequence({oid({0x2a, 0x03, 0x04}), {0x01, 1, 0xff}, octets({0x05, 0})}));
  }
  return tagged(0xa0, tagged(0x30, out.view()));
}

}  // namespace

const sim::IntelSimulator& hierarchy() {
  static const sim::IntelSimulator made = sim::IntelSimulator::create(kNow);
  return made;
}

sim::IntelWindow good_window() {
  return {kNow - kDay, kNow + 29 * kDay};
}

crypto::Crl crl_of(const IntelAuthority& issuer, const std::vector<Buffer>& revoked,
                   sim::IntelWindow window) {
  return crypto::issue_crl(issuer.certificate, issuer.key, window.from, window.until, 1, revoked);
}

crypto::Crl odd_crl(const IntelAuthority& issuer, const OddCrl& form) {
  const Buffer algorithm = sequence({oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02})});
  // kNow is 2027-01-15.
  const Buffer next = form.next_update ? utc_time("270201000000Z") : Buffer{};
  const Buffer list = sequence({{0x02, 1, 1},
                                algorithm,
                                issuer.certificate.subject_der(),
                                utc_time("270101000000Z"),
                                next,
                                crl_extensions(form)});
  const Buffer raw = issuer.key.sign_ecdsa(list);
  Buffer signature =
      sequence({der_integer(Bytes(raw).first(32)), der_integer(Bytes(raw).subspan(32))});
  signature.insert(signature.begin(), 0);  // no unused bits
  const auto crl = crypto::Crl::from_der(sequence({list, algorithm, tagged(0x03, signature)}));
  if (!crl) throw std::runtime_error("the odd CRL does not parse");
  return *crl;
}

crypto::Certificate reissue(const sim::IntelCertificate& parameters, const crypto::PrivateKey& key,
                            const IntelAuthority* issuer) {
  return sim::issue_intel(parameters, key, issuer);
}

void replace_once(std::string& text, std::string_view find, std::string_view with) {
  const size_t at = text.find(find);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace");
  text.replace(at, find.size(), with);
}

Scenario::Scenario()
    : qe(sim::default_quoting_enclave()),
      pck_key(&hierarchy().pck_for_testing(0).key),
      leaf(hierarchy().pck_for_testing(0).certificate),
      intermediate(hierarchy().platform_ca_for_testing().certificate),
      root(hierarchy().root_for_testing().certificate),
      info(sim::default_tcb_info(good_window())),
      identity(sim::default_qe_identity(good_window())),
      info_key(&hierarchy().tcb_signing_for_testing().key),
      identity_key(info_key),
      signers{hierarchy().tcb_signing_for_testing().certificate},
      root_crl(crl_of(hierarchy().root_for_testing(), {})),
      pck_crl(crl_of(hierarchy().platform_ca_for_testing(), {})) {
  td.report_data = kReportData;
  policy.anchors.development_intel = {hierarchy().root_spki()};
}

Scenario sgx_scenario(uint16_t version) {
  Scenario s;
  s.tee = Tee::sgx;
  s.sgx_version = version;
  s.enclave.report_data = kReportData;
  s.qe.isv_prod_id = 1;
  s.info.id = "SGX";
  s.identity.id = "QE";
  s.identity.isv_prod_id = 1;
  return s;
}

Buffer Scenario::quote() const {
  std::string pem = crypto::to_pem(leaf) + crypto::to_pem(intermediate) + crypto::to_pem(root);
  if (bend_pck_pem) bend_pck_pem(pem);
  const auto attestation_key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const sim::IntelQuoteSigner signer{qe, attestation_key, *pck_key, pem};
  Buffer out = tee == Tee::tdx ? sim::encode_tdx_quote(td, signer)
                               : sim::encode_sgx_quote(enclave, sgx_version, signer);
  if (bend_quote) bend_quote(out);
  return out;
}

std::string Scenario::info_document() const {
  std::string body = sim::encode_tcb_info(info);
  if (bend_info_body) bend_info_body(body);
  std::string document = sim::sign_document("tcbInfo", body, *info_key);
  if (bend_info_document) bend_info_document(document);
  return document;
}

std::string Scenario::identity_document() const {
  std::string body = sim::encode_qe_identity(identity);
  if (bend_identity_body) bend_identity_body(body);
  return sim::sign_document("enclaveIdentity", body, *identity_key);
}

Verification Scenario::judge() const {
  // Past Collateral::add, whose own refusals have their own tests.
  Collateral collateral;
  collateral.tcb_infos = {info_document()};
  collateral.qe_identities = {identity_document()};
  collateral.certificates = signers;
  if (root_crl) collateral.crls.push_back(*root_crl);
  if (pck_crl) collateral.crls.push_back(*pck_crl);
  return verify_quote(tee, quote(), collateral, policy, binding, now);
}

}  // namespace cloister::evidence::dcap
