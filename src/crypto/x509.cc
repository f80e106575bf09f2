#include "crypto/x509.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "crypto/hash.h"
#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

constexpr int kSaltBytes = 48;

bool is_sha384(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(oid) == NID_sha384;
}

// RSASSA-PSS parameters (RFC 4055, 3.1): SHA-384, MGF1 with SHA-384, salt 48, trailer 1.
bool pss_sha384_salt48(const X509_ALGOR* algorithm) {
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return false;
  auto text = static_cast<const ASN1_STRING*>(value);
  const uint8_t* cursor = ASN1_STRING_get0_data(text);
  std::unique_ptr<RSA_PSS_PARAMS, decltype(&RSA_PSS_PARAMS_free)> pss(
      d2i_RSA_PSS_PARAMS(nullptr, &cursor, ASN1_STRING_length(text)), &RSA_PSS_PARAMS_free);
  if (!pss || !pss->hashAlgorithm || !pss->maskGenAlgorithm || !pss->saltLength) return false;
  if (!is_sha384(pss->hashAlgorithm)) return false;
  if (ASN1_INTEGER_get(pss->saltLength) != kSaltBytes) return false;
  if (pss->trailerField && ASN1_INTEGER_get(pss->trailerField) != 1) return false;
  const ASN1_OBJECT* mask = nullptr;
  const void* mask_value = nullptr;
  X509_ALGOR_get0(&mask, &type, &mask_value, pss->maskGenAlgorithm);
  if (OBJ_obj2nid(mask) != NID_mgf1 || type != V_ASN1_SEQUENCE) return false;
  auto mask_text = static_cast<const ASN1_STRING*>(mask_value);
  cursor = ASN1_STRING_get0_data(mask_text);
  std::unique_ptr<X509_ALGOR, decltype(&X509_ALGOR_free)> mask_hash(
      d2i_X509_ALGOR(nullptr, &cursor, ASN1_STRING_length(mask_text)), &X509_ALGOR_free);
  return mask_hash && is_sha384(mask_hash.get());
}

// Each block has four runs of dashes. OpenSSL passes over a line that only looks like one, and may
// so leave out a certificate.
bool has_blocks(std::string_view pem, size_t count) {
  constexpr std::string_view kDashes = "-----";
  size_t runs = 0;
  for (size_t at = pem.find(kDashes); at != std::string_view::npos;
       at = pem.find(kDashes, at + kDashes.size())) {
    ++runs;
  }
  return runs == 4 * count;
}

std::optional<Certificate> known_or_parsed(Bytes der, std::span<const Certificate> known) {
  const auto at =
      std::ranges::find_if(known, [&](const Certificate& each) { return equal(each.der(), der); });
  return at == known.end() ? Certificate::from_der(der) : std::optional(*at);
}

}  // namespace

Buffer name_der(const X509_NAME* name) {
  return der_of(name, i2d_X509_NAME);
}

Buffer magnitude(const ASN1_INTEGER* number) {
  if (number == nullptr) return {};
  const uint8_t* data = ASN1_STRING_get0_data(number);
  Buffer out(data, data + ASN1_STRING_length(number));
  auto first = std::ranges::find_if(out, [](uint8_t b) { return b != 0; });
  out.erase(out.begin(), first);
  return out;
}

std::optional<UnixSeconds> seconds_of(const ASN1_TIME* time) {
  tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

KeyKind key_kind_of(const EVP_PKEY* key) {
  ClearErrors clear;
  if (key == nullptr) return KeyKind::other;
  if (EVP_PKEY_is_a(key, "RSA")) return KeyKind::rsa;
  if (EVP_PKEY_is_a(key, "ED25519")) return KeyKind::ed25519;
  char group[64];
  size_t size = 0;
  if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1) {
    return KeyKind::other;
  }
  std::string_view name(group, size);
  if (name == "prime256v1" || name == "P-256") return KeyKind::ec_p256;
  if (name == "secp384r1" || name == "P-384") return KeyKind::ec_p384;
  return KeyKind::other;
}

Buffer public_xy_of(const EVP_PKEY* key, KeyKind kind) {
  ClearErrors clear;
  if (kind != KeyKind::ec_p256 && kind != KeyKind::ec_p384) return {};
  Curve curve = kind == KeyKind::ec_p256 ? Curve::p256 : Curve::p384;
  Buffer point(1 + 2 * coordinate_size(curve));
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) != 1 ||
      size != point.size() || point[0] != 0x04) {
    return {};
  }
  return Buffer(point.begin() + 1, point.end());
}

SignatureKind signature_kind_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  switch (OBJ_obj2nid(oid)) {
    case NID_ecdsa_with_SHA256:
      return SignatureKind::ecdsa_sha256;
    case NID_ecdsa_with_SHA384:
      return SignatureKind::ecdsa_sha384;
    case NID_rsassaPss:
      return pss_sha384_salt48(algorithm) ? SignatureKind::rsa_pss_sha384_salt48
                                          : SignatureKind::other;
    default:
      return SignatureKind::other;
  }
}

bool key_suits(KeyKind issuer_key, SignatureKind signature) {
  switch (signature) {
    case SignatureKind::ecdsa_sha256:
      return issuer_key == KeyKind::ec_p256;
    case SignatureKind::ecdsa_sha384:
      return issuer_key == KeyKind::ec_p384;
    case SignatureKind::rsa_pss_sha384_salt48:
      return issuer_key == KeyKind::rsa;
    case SignatureKind::other:
      return false;
  }
  std::abort();
}

std::optional<Certificate> Certificate::from_der(Bytes der) {
  ClearErrors clear;
  const uint8_t* cursor = der.data();
  Owned<X509> x509{d2i_X509(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!x509 || cursor != der.data() + der.size()) return std::nullopt;
  if (!equal(der_of(x509.get(), i2d_X509), der)) return std::nullopt;
  if (!seconds_of(X509_get0_notBefore(x509.get()))) return std::nullopt;
  if (!seconds_of(X509_get0_notAfter(x509.get()))) return std::nullopt;
  auto impl = std::make_shared<Impl>();
  const EVP_PKEY* key = X509_get0_pubkey(x509.get());
  impl->der = to_buffer(der);
  impl->subject = name_der(X509_get_subject_name(x509.get()));
  impl->issuer = name_der(X509_get_issuer_name(x509.get()));
  impl->spki = der_of(X509_get_X509_PUBKEY(x509.get()), i2d_X509_PUBKEY);
  impl->key_kind = key_kind_of(key);
  impl->public_xy = public_xy_of(key, impl->key_kind);
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, x509.get());
  impl->signature_kind = signature_kind_of(algorithm);
  impl->x509 = std::move(x509);
  Certificate out;
  out.impl_ = std::move(impl);
  return out;
}

const Buffer& Certificate::der() const {
  return impl_->der;
}
void* Certificate::handle() const {
  return impl_->x509.get();
}
const Buffer& Certificate::subject_der() const {
  return impl_->subject;
}
const Buffer& Certificate::issuer_der() const {
  return impl_->issuer;
}

std::string Certificate::subject_common_name() const {
  X509_NAME* name = X509_get_subject_name(impl_->x509.get());
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return {};
  uint8_t* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string out(utf8, utf8 + size);
  OPENSSL_free(utf8);
  return out;
}

const Buffer& Certificate::spki_der() const {
  return impl_->spki;
}
Hash32 Certificate::spki_sha256() const {
  return sha256(impl_->spki);
}
const Buffer& Certificate::public_xy() const {
  return impl_->public_xy;
}
KeyKind Certificate::key_kind() const {
  return impl_->key_kind;
}
SignatureKind Certificate::signature_kind() const {
  return impl_->signature_kind;
}

UnixSeconds Certificate::not_before() const {
  return *seconds_of(X509_get0_notBefore(impl_->x509.get()));
}
UnixSeconds Certificate::not_after() const {
  return *seconds_of(X509_get0_notAfter(impl_->x509.get()));
}
Buffer Certificate::serial() const {
  return magnitude(X509_get0_serialNumber(impl_->x509.get()));
}

namespace {

std::unique_ptr<BASIC_CONSTRAINTS, decltype(&BASIC_CONSTRAINTS_free)> constraints_of(X509* x509) {
  ClearErrors clear;
  auto raw = X509_get_ext_d2i(x509, NID_basic_constraints, nullptr, nullptr);
  return {static_cast<BASIC_CONSTRAINTS*>(raw), &BASIC_CONSTRAINTS_free};
}

// Nothing when the extension is absent, broken or given twice.
std::optional<uint32_t> key_usage_of(X509* x509) {
  ClearErrors clear;
  Owned<ASN1_STRING> bits{
      static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(x509, NID_key_usage, nullptr, nullptr))};
  if (!bits || ASN1_STRING_length(bits.get()) < 1) return std::nullopt;
  return ASN1_STRING_get0_data(bits.get())[0];
}

}  // namespace

bool Certificate::is_ca() const {
  auto constraints = constraints_of(impl_->x509.get());
  return constraints && constraints->ca;
}

std::optional<uint64_t> Certificate::path_length() const {
  auto constraints = constraints_of(impl_->x509.get());
  uint64_t length = 0;
  if (!constraints || !constraints->pathlen) return std::nullopt;
  if (ASN1_INTEGER_get_uint64(&length, constraints->pathlen) != 1) return 0;  // the strict side
  return length;
}

bool Certificate::may_sign_certificates() const {
  auto usage = key_usage_of(impl_->x509.get());
  return usage && (*usage & KU_KEY_CERT_SIGN);
}

bool Certificate::may_sign_crls() const {
  if (X509_get_ext_by_NID(impl_->x509.get(), NID_key_usage, -1) < 0) return true;
  auto usage = key_usage_of(impl_->x509.get());
  return usage && (*usage & KU_CRL_SIGN);
}

bool Certificate::may_sign_data() const {
  if (X509_get_ext_by_NID(impl_->x509.get(), NID_key_usage, -1) < 0) return true;
  auto usage = key_usage_of(impl_->x509.get());
  return usage && (*usage & KU_DIGITAL_SIGNATURE);
}

bool Certificate::may_sign_ocsp() const {
  ClearErrors clear;
  auto* usages = static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(impl_->x509.get(), NID_ext_key_usage, nullptr, nullptr));
  bool found = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages); ++i) {
    found = found || OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_OCSP_sign;
  }
  EXTENDED_KEY_USAGE_free(usages);
  return found;
}

std::optional<Buffer> Certificate::extension(const std::string& oid) const {
  Owned<ASN1_OBJECT> object{OBJ_txt2obj(oid.c_str(), 1)};
  require(object != nullptr);
  int at = X509_get_ext_by_OBJ(impl_->x509.get(), object.get(), -1);
  if (at < 0 || X509_get_ext_by_OBJ(impl_->x509.get(), object.get(), at) >= 0) return std::nullopt;
  auto value = X509_EXTENSION_get_data(X509_get_ext(impl_->x509.get(), at));
  const uint8_t* data = ASN1_STRING_get0_data(value);
  return Buffer(data, data + ASN1_STRING_length(value));
}

bool Certificate::has_unknown_critical_extension() const {
  for (int i = 0; i < X509_get_ext_count(impl_->x509.get()); ++i) {
    X509_EXTENSION* extension = X509_get_ext(impl_->x509.get(), i);
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    bool processed = nid == NID_basic_constraints || nid == NID_key_usage;
    if (X509_EXTENSION_get_critical(extension) && !processed) return true;
  }
  return false;
}

bool Certificate::signed_by(const Certificate& issuer) const {
  ClearErrors clear;
  if (!key_suits(issuer.key_kind(), signature_kind())) return false;
  if (impl_->signer.holds(issuer.spki_der())) return true;
  if (X509_verify(impl_->x509.get(), X509_get0_pubkey(issuer.impl_->x509.get())) != 1) return false;
  impl_->signer.remember(issuer.spki_der());
  return true;
}

bool Certificate::signed_message(Bytes message, Bytes signature_rs) const {
  ClearErrors clear;
  if (key_kind() != KeyKind::ec_p256 && key_kind() != KeyKind::ec_p384) return false;
  const Curve curve = key_kind() == KeyKind::ec_p256 ? Curve::p256 : Curve::p384;
  return verify_rs(X509_get0_pubkey(impl_->x509.get()), curve, message, signature_rs);
}

std::optional<std::vector<Certificate>> certificates_from_pem(std::string_view pem,
                                                              size_t max_count,
                                                              std::span<const Certificate> known) {
  ClearErrors clear;
  Owned<BIO> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  std::vector<Certificate> out;
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    uint8_t* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) break;
    bool is_certificate = std::string_view(name) == PEM_STRING_X509 && *header == '\0';
    auto certificate =
        is_certificate ? known_or_parsed({data, static_cast<size_t>(size)}, known) : std::nullopt;
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!certificate || out.size() == max_count) return std::nullopt;
    out.push_back(std::move(*certificate));
  }
  // Running out of blocks is the only good end; a broken block is not.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return std::nullopt;
  if (!has_blocks(pem, out.size())) return std::nullopt;
  return out;
}

std::string to_pem(const Certificate& certificate) {
  Owned<BIO> bio{BIO_new(BIO_s_mem())};
  require(PEM_write_bio_X509(bio.get(), static_cast<X509*>(certificate.handle())) == 1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace cloister::crypto
