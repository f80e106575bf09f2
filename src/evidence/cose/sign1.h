// COSE_Sign1 (RFC 9052, 4.2), as AWS Nitro and Arm CCA use it: one algorithm in the protected
// header, nothing else in either header, the payload inside.
#pragma once

#include "crypto/public_key.h"
#include "evidence/cose/cbor_tree.h"

namespace cloister::evidence::cose {

enum class Algorithm : uint8_t { es256, es384 };

enum class Tag : uint8_t { required, optional };

// Nothing here is authentic before `verify` holds. Views of the bytes it was read from.
struct Sign1 {
  Algorithm algorithm;
  Bytes protected_header;  // as received
  Bytes payload;
  Bytes signature;  // r‖s
};

// `malformed`, or `unsupported` for another algorithm. Tag 18 may be asked for.
Result<Sign1> parse_sign1(Bytes bytes, Tag tag);

// The signature over Sig_structure ("Signature1", no external data; RFC 9052, 4.4). False also when
// the key is not of the algorithm's curve.
bool verify(const Sign1& message, const crypto::PublicKey& key);

// What a signer signs: shared with the simulated vendors.
Buffer sig_structure(Bytes protected_header, Bytes payload);

}  // namespace cloister::evidence::cose
