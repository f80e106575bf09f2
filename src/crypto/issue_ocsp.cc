#include <openssl/ocsp.h>

#include "crypto/ocsp.h"
#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

X509* x509_of(const Certificate& certificate) {
  return static_cast<X509*>(certificate.handle());
}

Owned<ASN1_STRING> generalized(UnixSeconds time) {
  Owned<ASN1_STRING> out{ASN1_GENERALIZEDTIME_set(nullptr, time)};
  require(out != nullptr);
  return out;
}

void add_answer(OCSP_BASICRESP* basic, const OcspIssue& issue) {
  const Owned<OCSP_CERTID> id{
      OCSP_cert_to_id(EVP_sha256(), x509_of(*issue.subject), x509_of(*issue.issuer))};
  require(id != nullptr);
  int status = V_OCSP_CERTSTATUS_UNKNOWN, reason = OCSP_REVOKED_STATUS_NOSTATUS;
  const auto from = generalized(issue.answer.this_update);
  const bool held = issue.answer.status == OcspStatus::on_hold;
  if (issue.answer.status == OcspStatus::good) status = V_OCSP_CERTSTATUS_GOOD;
  if (held || issue.answer.status == OcspStatus::revoked) status = V_OCSP_CERTSTATUS_REVOKED;
  if (held) reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
  Owned<ASN1_STRING> until;
  if (issue.answer.next_update) until = generalized(*issue.answer.next_update);
  ASN1_STRING* revoked_at = status == V_OCSP_CERTSTATUS_REVOKED ? from.get() : nullptr;
  require(OCSP_basic_add1_status(basic, id.get(), status, reason, revoked_at, from.get(),
                                 until.get()) != nullptr);
}

}  // namespace

Buffer issue_ocsp_response(const std::vector<OcspIssue>& answers, const Certificate& responder,
                           const PrivateKey& key, const std::vector<Certificate>& more) {
  const Owned<OCSP_BASICRESP> basic{OCSP_BASICRESP_new()};
  require(basic != nullptr);
  for (const OcspIssue& each : answers) add_answer(basic.get(), each);
  STACK_OF(X509)* certificates = sk_X509_new_null();
  for (const Certificate& each : more) require(sk_X509_push(certificates, x509_of(each)) > 0);
  auto* pkey = static_cast<EVP_PKEY*>(key.handle());
  const EVP_MD* digest = EVP_PKEY_get_bits(pkey) == 256 ? EVP_sha256() : EVP_sha384();
  require(OCSP_basic_sign(basic.get(), x509_of(responder), pkey, digest, certificates, 0) == 1);
  sk_X509_free(certificates);
  const Owned<OCSP_RESPONSE> response{
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get())};
  require(response != nullptr);
  return der_of(response.get(), i2d_OCSP_RESPONSE);
}

}  // namespace cloister::crypto
