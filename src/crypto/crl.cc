#include <openssl/x509v3.h>

#include <algorithm>

#include "crypto/x509_internal.h"

namespace cloister::crypto {

std::optional<Crl> Crl::from_der(Bytes der) {
  ClearErrors clear;
  const uint8_t* cursor = der.data();
  Owned<X509_CRL> crl{d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!crl || cursor != der.data() + der.size()) return std::nullopt;
  if (!equal(der_of(crl.get(), i2d_X509_CRL), der)) return std::nullopt;
  if (!seconds_of(X509_CRL_get0_lastUpdate(crl.get()))) return std::nullopt;
  auto impl = std::make_shared<Impl>();
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    auto serial = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i));
    impl->revoked.push_back(magnitude(serial));
  }
  std::ranges::sort(impl->revoked);
  impl->issuer = name_der(X509_CRL_get_issuer(crl.get()));
  impl->crl = std::move(crl);
  impl->der = to_buffer(der);
  Crl out;
  out.impl_ = std::move(impl);
  return out;
}

const Buffer& Crl::der() const {
  return impl_->der;
}
const Buffer& Crl::issuer_der() const {
  return impl_->issuer;
}
UnixSeconds Crl::this_update() const {
  return *seconds_of(X509_CRL_get0_lastUpdate(impl_->crl.get()));
}
std::optional<UnixSeconds> Crl::next_update() const {
  return seconds_of(X509_CRL_get0_nextUpdate(impl_->crl.get()));
}

std::optional<Buffer> Crl::number() const {
  ClearErrors clear;
  Owned<ASN1_STRING> number{static_cast<ASN1_INTEGER*>(
      X509_CRL_get_ext_d2i(impl_->crl.get(), NID_crl_number, nullptr, nullptr))};
  if (!number) return std::nullopt;
  return magnitude(number.get());
}

bool Crl::has_authority_key_id() const {
  return X509_CRL_get_ext_by_NID(impl_->crl.get(), NID_authority_key_identifier, -1) >= 0;
}

bool Crl::has_unknown_critical_extension() const {
  // None of the extensions that a CRL may carry as critical (indirect, delta, partial) is
  // processed.
  for (int i = 0; i < X509_CRL_get_ext_count(impl_->crl.get()); ++i) {
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(impl_->crl.get(), i))) return true;
  }
  return false;
}

const std::vector<Buffer>& Crl::revoked_serials() const {
  return impl_->revoked;
}

bool Crl::lists(const Buffer& serial) const {
  return std::ranges::binary_search(impl_->revoked, serial);
}

bool Crl::signed_by(const Certificate& issuer) const {
  ClearErrors clear;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(impl_->crl.get(), nullptr, &algorithm);
  if (!key_suits(issuer.key_kind(), signature_kind_of(algorithm))) return false;
  if (impl_->signer.holds(issuer.spki_der())) return true;
  EVP_PKEY* key = X509_get0_pubkey(static_cast<X509*>(issuer.handle()));
  if (X509_CRL_verify(impl_->crl.get(), key) != 1) return false;
  impl_->signer.remember(issuer.spki_der());
  return true;
}

}  // namespace cloister::crypto
