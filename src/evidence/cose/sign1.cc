#include "evidence/cose/sign1.h"

#include "base/cbor.h"

namespace cloister::evidence::cose {
namespace {

constexpr uint64_t kSign1Tag = 18;
constexpr int64_t kAlgorithmHeader = 1;
constexpr int64_t kEs256 = -7, kEs384 = -35;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "COSE_Sign1: " + std::string(what));
}

Result<Algorithm> algorithm_of(Bytes protected_header) {
  const auto header = read_cbor(protected_header);
  if (!header || header->map() == nullptr || header->map()->size() != 1) {
    return malformed("a protected header other than one algorithm");
  }
  const CborValue* value = header->find(kAlgorithmHeader);
  const auto algorithm = value == nullptr ? std::nullopt : value->integer();
  if (!algorithm) return malformed("a protected header without an algorithm");
  if (*algorithm == kEs384) return Algorithm::es384;
  if (*algorithm == kEs256) return Algorithm::es256;
  return refuse(Error::unsupported, "COSE algorithm " + std::to_string(*algorithm));
}

size_t signature_bytes(Algorithm algorithm) {
  return algorithm == Algorithm::es384 ? 96 : 64;
}

Result<Sign1> from_array(const CborValue& value) {
  const auto* parts = value.array();
  if (parts == nullptr || parts->size() != 4) return malformed("not an array of four");
  const auto protected_header = (*parts)[0].bytes();
  const auto* unprotected = (*parts)[1].map();
  const auto payload = (*parts)[2].bytes();
  const auto signature = (*parts)[3].bytes();
  if (!protected_header || unprotected == nullptr || !payload || !signature) {
    return malformed("parts of other kinds");
  }
  if (!unprotected->empty()) return malformed("an unprotected header that is not empty");
  const auto algorithm = algorithm_of(*protected_header);
  if (!algorithm) return std::unexpected(algorithm.error());
  if (signature->size() != signature_bytes(*algorithm)) {
    return malformed("a signature of " + std::to_string(signature->size()) + " bytes");
  }
  return Sign1{*algorithm, *protected_header, *payload, *signature};
}

}  // namespace

Result<Sign1> parse_sign1(Bytes bytes, Tag tag) {
  const auto value = read_cbor(bytes);
  if (!value) return std::unexpected(value.error());
  if (const auto* tagged = value->tagged()) {
    if (tagged->tag != kSign1Tag) return malformed("another tag");
    return from_array(*tagged->value);
  }
  if (tag == Tag::required) return malformed("no tag");
  return from_array(*value);
}

bool verify(const Sign1& message, const crypto::PublicKey& key) {
  const auto scheme = message.algorithm == Algorithm::es384
                          ? crypto::SignatureScheme::ecdsa_p384_sha384
                          : crypto::SignatureScheme::ecdsa_p256_sha256;
  return key.verify(scheme, sig_structure(message.protected_header, message.payload),
                    message.signature);
}

Buffer sig_structure(Bytes protected_header, Bytes payload) {
  CborWriter out;
  out.array(4).text("Signature1").bytes(protected_header).bytes({}).bytes(payload);
  return to_buffer(out.view());
}

}  // namespace cloister::evidence::cose
