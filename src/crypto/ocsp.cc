#include "crypto/ocsp.h"

#include <openssl/ocsp.h>

#include <map>

#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

X509* x509_of(const Certificate& certificate) {
  return static_cast<X509*>(certificate.handle());
}

Owned<OCSP_RESPONSE> decode(Bytes der) {
  const uint8_t* cursor = der.data();
  Owned<OCSP_RESPONSE> out{d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!out || !equal(der_of(out.get(), i2d_OCSP_RESPONSE), der)) return nullptr;
  return out;
}

// GeneralizedTime has the fields of ASN1_TIME.
std::optional<UnixSeconds> optional_time(const ASN1_GENERALIZEDTIME* time) {
  return time == nullptr ? std::nullopt : seconds_of(time);
}

int digest_of(OCSP_CERTID* id) {
  ASN1_OBJECT* algorithm = nullptr;
  OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, id);
  return OBJ_obj2nid(algorithm);
}

// What names one certificate, by each hash that an id may use.
class CertificateIds {
 public:
  CertificateIds(const Certificate& subject, const Certificate& issuer)
      : subject_(subject), issuer_(issuer) {}

  bool names(const OCSP_CERTID* id) {
    auto* mutable_id = const_cast<OCSP_CERTID*>(id);  // OpenSSL's accessors do not change it
    const int digest = digest_of(mutable_id);
    if (digest != NID_sha1 && digest != NID_sha256 && digest != NID_sha384) return false;
    Owned<OCSP_CERTID>& own = by_digest_[digest];
    if (!own) {
      own.reset(OCSP_cert_to_id(EVP_get_digestbynid(digest), x509_of(subject_), x509_of(issuer_)));
    }
    return own && OCSP_id_cmp(own.get(), mutable_id) == 0;
  }

 private:
  const Certificate& subject_;
  const Certificate& issuer_;
  std::map<int, Owned<OCSP_CERTID>> by_digest_;
};

std::optional<OcspAnswer> read_answer(OCSP_SINGLERESP* single) {
  int reason = -1;
  ASN1_GENERALIZEDTIME *from = nullptr, *until = nullptr;
  const int status = OCSP_single_get0_status(single, &reason, nullptr, &from, &until);
  const auto this_update = optional_time(from);
  if (!this_update) return std::nullopt;
  if (until != nullptr && !optional_time(until)) return std::nullopt;
  OcspAnswer out{OcspStatus::unknown, *this_update, optional_time(until)};
  if (status == V_OCSP_CERTSTATUS_GOOD) out.status = OcspStatus::good;
  if (status == V_OCSP_CERTSTATUS_REVOKED) {
    const bool held = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
    out.status = held ? OcspStatus::on_hold : OcspStatus::revoked;
  }
  return out;
}

bool has_critical(OCSP_SINGLERESP* single) {
  for (int i = 0; i < OCSP_SINGLERESP_get_ext_count(single); ++i) {
    if (X509_EXTENSION_get_critical(OCSP_SINGLERESP_get_ext(single, i)) != 0) return true;
  }
  return false;
}

}  // namespace

struct OcspResponse::Impl {
  Owned<OCSP_BASICRESP> basic;
  std::vector<Certificate> certificates;
};

std::optional<OcspResponse> OcspResponse::from_der(Bytes der) {
  ClearErrors clear;
  const auto response = decode(der);
  if (!response || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return std::nullopt;
  }
  auto impl = std::make_shared<Impl>();
  impl->basic.reset(OCSP_response_get1_basic(response.get()));
  if (!impl->basic) return std::nullopt;
  const int answers = OCSP_resp_count(impl->basic.get());
  if (answers < 1 || static_cast<size_t>(answers) > kMaxAnswers) return std::nullopt;
  const STACK_OF(X509)* held = OCSP_resp_get0_certs(impl->basic.get());
  const int count = held == nullptr ? 0 : sk_X509_num(held);
  if (static_cast<size_t>(count) > kMaxCertificates) return std::nullopt;
  for (int i = 0; i < count; ++i) {
    auto certificate = Certificate::from_der(der_of(sk_X509_value(held, i), i2d_X509));
    if (!certificate) return std::nullopt;
    impl->certificates.push_back(std::move(*certificate));
  }
  OcspResponse out;
  out.impl_ = std::move(impl);
  return out;
}

std::optional<OcspAnswer> OcspResponse::answer_for(const Certificate& subject,
                                                   const Certificate& issuer) const {
  ClearErrors clear;
  std::optional<OcspAnswer> found;
  CertificateIds ids(subject, issuer);
  for (int i = 0; i < OCSP_resp_count(impl_->basic.get()); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(impl_->basic.get(), i);
    if (!ids.names(OCSP_SINGLERESP_get0_id(single))) continue;
    if (found) return std::nullopt;
    found = read_answer(single);
    if (!found) return std::nullopt;
  }
  return found;
}

const std::vector<Certificate>& OcspResponse::certificates() const {
  return impl_->certificates;
}

bool OcspResponse::signed_by(const Certificate& responder) const {
  ClearErrors clear;
  if (!key_suits(responder.key_kind(),
                 signature_kind_of(OCSP_resp_get0_tbs_sigalg(impl_->basic.get())))) {
    return false;
  }
  // NOVERIFY and TRUSTOTHER: the responder is the one given, its own chain is the caller's to
  // judge. NOINTERN: never one that came along.
  STACK_OF(X509)* only = sk_X509_new_null();
  require(only != nullptr && sk_X509_push(only, x509_of(responder)) == 1);
  const int held = OCSP_basic_verify(impl_->basic.get(), only, nullptr,
                                     OCSP_NOVERIFY | OCSP_TRUSTOTHER | OCSP_NOINTERN);
  sk_X509_free(only);
  return held == 1;
}

bool OcspResponse::has_unknown_critical_extension() const {
  OCSP_BASICRESP* basic = impl_->basic.get();
  for (int i = 0; i < OCSP_BASICRESP_get_ext_count(basic); ++i) {
    if (X509_EXTENSION_get_critical(OCSP_BASICRESP_get_ext(basic, i)) != 0) return true;
  }
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    if (has_critical(OCSP_resp_get0(basic, i))) return true;
  }
  return false;
}

Buffer make_ocsp_request(const Certificate& subject, const Certificate& issuer) {
  const Owned<OCSP_REQUEST> request{OCSP_REQUEST_new()};
  // The request owns the id from here on.
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha384(), x509_of(subject), x509_of(issuer));
  require(request && id != nullptr && OCSP_request_add0_id(request.get(), id) != nullptr);
  return der_of(request.get(), i2d_OCSP_REQUEST);
}

bool is_ocsp_response(Bytes der) {
  ClearErrors clear;
  return decode(der) != nullptr;
}

}  // namespace cloister::crypto
