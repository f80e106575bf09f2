// The instance's TLS leaf: a self-signed P-256 certificate of at most a day. Its key lives as long
// as the boot and is what the ledger names; the certificate around it may be renewed. Pure.
#pragma once

#include "channel/atls/error.h"
#include "crypto/x509.h"

namespace cloister::atls {

constexpr UnixSeconds kMaxLeafLifeSeconds = 24 * 3600;

struct Leaf {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

// `registration_cmw`, when not empty, goes into the non-critical extension id-pe-cmw (RFC 9999).
crypto::Certificate make_leaf_certificate(const crypto::PrivateKey& key, Random& random,
                                          UnixSeconds now, Bytes registration_cmw = {});
Leaf make_leaf(Random& random, UnixSeconds now, Bytes registration_cmw = {});

// What a client decides inside the handshake, before anything else: leaf_too_large, leaf_malformed,
// leaf_not_valid_now, leaf_not_as_registered.
std::expected<crypto::Certificate, AtlsError> check_leaf(Bytes der, const Hash32& spki_sha256,
                                                         UnixSeconds now);

}  // namespace cloister::atls
