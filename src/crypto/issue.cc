#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

EVP_PKEY* key_of(const PrivateKey& key) {
  return static_cast<EVP_PKEY*>(key.handle());
}
X509* x509_of(const Certificate& certificate) {
  return static_cast<X509*>(certificate.handle());
}

// A signing context with the issuer's algorithm; the caller hands it to X509_sign_ctx and the like.
Owned<EVP_MD_CTX> signer(const PrivateKey& key) {
  EVP_PKEY* pkey = key_of(key);
  bool rsa = EVP_PKEY_is_a(pkey, "RSA");
  const EVP_MD* md = rsa || EVP_PKEY_get_bits(pkey) == 384 ? EVP_sha384() : EVP_sha256();
  Owned<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* options = nullptr;
  require(EVP_DigestSignInit(ctx.get(), &options, md, nullptr, pkey) == 1);
  if (rsa) {
    require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 48) == 1);
  }
  return ctx;
}

Owned<ASN1_STRING> integer_from(const Buffer& big_endian) {
  Owned<BIGNUM> number{BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr)};
  Owned<ASN1_STRING> out{BN_to_ASN1_INTEGER(number.get(), nullptr)};
  require(out != nullptr);
  return out;
}

void add_name(X509_NAME* name, const char* field, const std::string& value) {
  require(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                     reinterpret_cast<const uint8_t*>(value.data()),
                                     static_cast<int>(value.size()), -1, 0) == 1);
}

Owned<X509_EXTENSION> configured(X509V3_CTX* ctx, int nid, const std::string& value) {
  Owned<X509_EXTENSION> out{X509V3_EXT_conf_nid(nullptr, ctx, nid, value.c_str())};
  require(out != nullptr);
  return out;
}

void add_standard_extensions(X509* x509, X509* issuer, const IssueRequest& request) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, x509, nullptr, nullptr, 0);
  auto add = [&](int nid, const std::string& value) {
    require(X509_add_ext(x509, configured(&ctx, nid, value).get(), -1) == 1);
  };
  std::string constraints = request.ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
  if (request.path_length) constraints += ",pathlen:" + std::to_string(*request.path_length);
  add(NID_basic_constraints, constraints);
  add(NID_key_usage, request.ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  add(NID_subject_key_identifier, "hash");
  add(NID_authority_key_identifier, "keyid:always");
}

void add_extension(X509* x509, const IssueExtension& extension) {
  Owned<ASN1_OBJECT> oid{OBJ_txt2obj(extension.oid.c_str(), 1)};
  Owned<ASN1_STRING> value{ASN1_OCTET_STRING_new()};
  require(ASN1_OCTET_STRING_set(value.get(), extension.value.data(),
                                static_cast<int>(extension.value.size())) == 1);
  Owned<X509_EXTENSION> made{
      X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), extension.critical, value.get())};
  require(made && X509_add_ext(x509, made.get(), -1) == 1);
}

}  // namespace

Certificate issue_certificate(const IssueRequest& request, const PrivateKey& subject_key,
                              const Certificate* issuer, const PrivateKey& issuer_key) {
  Owned<X509> x509{X509_new()};
  require(X509_set_version(x509.get(), X509_VERSION_3) == 1);
  require(X509_set_serialNumber(x509.get(), integer_from(request.serial).get()) == 1);
  require(ASN1_TIME_set(X509_getm_notBefore(x509.get()), request.not_before) != nullptr);
  require(ASN1_TIME_set(X509_getm_notAfter(x509.get()), request.not_after) != nullptr);
  X509_NAME* name = X509_get_subject_name(x509.get());
  add_name(name, "CN", request.subject_cn);
  if (!request.organization.empty()) add_name(name, "O", request.organization);
  for (const auto& [field, value] : request.more_names) add_name(name, field.c_str(), value);
  X509* issuing = issuer != nullptr ? x509_of(*issuer) : x509.get();
  require(X509_set_issuer_name(x509.get(), X509_get_subject_name(issuing)) == 1);
  require(X509_set_pubkey(x509.get(), key_of(subject_key)) == 1);
  add_standard_extensions(x509.get(), issuing, request);
  for (const auto& extension : request.extensions) add_extension(x509.get(), extension);
  auto ctx = signer(issuer_key);
  require(X509_sign_ctx(x509.get(), ctx.get()) > 0);
  auto out = Certificate::from_der(der_of(x509.get(), i2d_X509));
  require(out.has_value());
  return *out;
}

Crl issue_crl(const Certificate& issuer, const PrivateKey& issuer_key, UnixSeconds this_update,
              UnixSeconds next_update, uint64_t number,
              const std::vector<Buffer>& revoked_serials) {
  Owned<X509_CRL> crl{X509_CRL_new()};
  require(X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1);
  require(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(x509_of(issuer))) == 1);
  Owned<ASN1_STRING> from{ASN1_TIME_set(nullptr, this_update)};
  Owned<ASN1_STRING> until{ASN1_TIME_set(nullptr, next_update)};
  require(X509_CRL_set1_lastUpdate(crl.get(), from.get()) == 1);
  require(X509_CRL_set1_nextUpdate(crl.get(), until.get()) == 1);
  for (const Buffer& serial : revoked_serials) {
    Owned<X509_REVOKED> entry{X509_REVOKED_new()};
    require(X509_REVOKED_set_serialNumber(entry.get(), integer_from(serial).get()) == 1);
    require(X509_REVOKED_set_revocationDate(entry.get(), from.get()) == 1);
    require(X509_CRL_add0_revoked(crl.get(), entry.release()) == 1);
  }
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, x509_of(issuer), nullptr, nullptr, crl.get(), 0);
  auto key_id = configured(&ctx, NID_authority_key_identifier, "keyid:always");
  require(X509_CRL_add_ext(crl.get(), key_id.get(), -1) == 1);
  Owned<ASN1_STRING> crl_number{ASN1_INTEGER_new()};
  require(ASN1_INTEGER_set_uint64(crl_number.get(), number) == 1);
  require(X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, crl_number.get(), 0, 0) == 1);
  require(X509_CRL_sort(crl.get()) == 1);
  auto sign = signer(issuer_key);
  require(X509_CRL_sign_ctx(crl.get(), sign.get()) > 0);
  auto out = Crl::from_der(der_of(crl.get(), i2d_X509_CRL));
  require(out.has_value());
  return *out;
}

}  // namespace cloister::crypto
