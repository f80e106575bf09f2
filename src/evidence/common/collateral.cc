// Sorting collateral files into roles by what they are, never by what they are called.
#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "crypto/ocsp.h"
#include "evidence/common/evidence.h"

namespace cloister::evidence {
namespace {

constexpr size_t kMaxCertificatesPerFile = 8;
constexpr std::string_view kCrlBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kCrlEnd = "-----END X509 CRL-----";
constexpr std::string_view kPublicKeyBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kRimElement = "SoftwareIdentity";
constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// One CRL and nothing else in the file.
std::optional<crypto::Crl> crl_from_pem(std::string_view pem) {
  pem = trimmed(pem);
  if (!pem.starts_with(kCrlBegin) || !pem.ends_with(kCrlEnd)) return std::nullopt;
  pem.remove_prefix(kCrlBegin.size());
  if (pem.size() < kCrlEnd.size()) return std::nullopt;
  pem.remove_suffix(kCrlEnd.size());
  std::string base64;
  for (char c : pem) {
    if (!is_space(c)) base64.push_back(c);
  }
  const auto der = from_base64(base64);
  if (!der) return std::nullopt;
  return crypto::Crl::from_der(*der);
}

// RFC 7517, elliptic curves only.
std::optional<crypto::PublicKey> key_from_jwk(const JsonValue& jwk) {
  const auto curve = jwk["crv"].string();
  if (jwk["kty"].string() != "EC" || (curve != "P-256" && curve != "P-384")) return std::nullopt;
  const auto x = from_base64url(jwk["x"].string().value_or(""));
  const auto y = from_base64url(jwk["y"].string().value_or(""));
  if (!x || !y || x->size() != y->size()) return std::nullopt;
  const auto xy = ByteWriter().bytes(*x).bytes(*y).take();
  return crypto::PublicKey::from_ec_point(
      curve == "P-256" ? crypto::Curve::p256 : crypto::Curve::p384, xy);
}

bool add_key(Collateral& out, std::optional<crypto::PublicKey> key) {
  if (key) out.keys.push_back(std::move(*key));
  return key.has_value();
}

bool add_json(Collateral& out, std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return false;
  if (document->find("kty") != nullptr) return add_key(out, key_from_jwk(*document));
  const bool tcb_info = document->find("tcbInfo") != nullptr;
  const bool qe_identity = document->find("enclaveIdentity") != nullptr;
  if (tcb_info == qe_identity) return false;  // neither, or both: no role
  (tcb_info ? out.tcb_infos : out.qe_identities).emplace_back(text);
  return true;
}

bool add_certificates(Collateral& out, std::string_view pem) {
  auto certificates = crypto::certificates_from_pem(pem, kMaxCertificatesPerFile);
  if (!certificates || certificates->empty()) return false;
  for (auto& certificate : *certificates) out.certificates.push_back(std::move(certificate));
  return true;
}

// Read as XML by the verifier only, which bounds what it does with it.
bool add_rim(Collateral& out, std::string_view text) {
  const bool rim = text.find(kRimElement) != std::string_view::npos;
  if (rim) out.rims.emplace_back(text);
  return rim;
}

bool add_der(Collateral& out, Bytes der) {
  if (auto certificate = crypto::Certificate::from_der(der)) {
    out.certificates.push_back(std::move(*certificate));
    return true;
  }
  if (auto crl = crypto::Crl::from_der(der)) {
    out.crls.push_back(std::move(*crl));
    return true;
  }
  if (crypto::is_ocsp_response(der)) {
    out.ocsp_responses.push_back(to_buffer(der));
    return true;
  }
  return false;
}

bool add_text_or_der(Collateral& out, Bytes file) {
  const std::string_view text = as_text(file);
  const std::string_view start = trimmed(text);
  if (start.starts_with('{')) return add_json(out, text);
  if (start.starts_with('<')) return add_rim(out, text);
  if (start.starts_with(kPublicKeyBegin)) return add_key(out, crypto::PublicKey::from_pem(start));
  // Issuer chains may carry text between their blocks, a CRL file may not.
  if (text.find(kCertificateBegin) != std::string_view::npos) return add_certificates(out, text);
  if (start.starts_with(kCrlBegin)) {
    auto crl = crl_from_pem(text);
    if (crl) out.crls.push_back(std::move(*crl));
    return crl.has_value();
  }
  return add_der(out, file);
}

size_t count(const Collateral& c) {
  return c.tcb_infos.size() + c.qe_identities.size() + c.certificates.size() + c.crls.size() +
         c.rims.size() + c.ocsp_responses.size() + c.keys.size();
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

bool Collateral::add(Bytes file) {
  if (file.empty() || file.size() > kMaxCollateralFileBytes) return false;
  Collateral found;
  if (!add_text_or_der(found, file)) return false;
  if (count(*this) + count(found) > kMaxCollateralObjects) return false;
  append(tcb_infos, found.tcb_infos);
  append(qe_identities, found.qe_identities);
  append(certificates, found.certificates);
  append(crls, found.crls);
  append(rims, found.rims);
  append(ocsp_responses, found.ocsp_responses);
  append(keys, found.keys);
  return true;
}

}  // namespace cloister::evidence
