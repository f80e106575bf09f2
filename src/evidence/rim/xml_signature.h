// The XML signature of a reference manifest: one, enveloped, over the whole document (XML Signature
// Syntax and Processing 1.1, in the one form that NVIDIA uses).
#pragma once

#include "evidence/rim/xml.h"

namespace cloister::evidence::rim {

constexpr size_t kRimChainCertificates = 4;

struct XmlSignature {
  XmlElement element;
  std::vector<crypto::Certificate> certificates;  // of KeyInfo, in order: the signer first
};

// The one signature of `document`, a child of its root: canonicalisation C14N 1.1,
// ECDSA P-384 with SHA-384, one reference with URI "" and the transforms enveloped-signature and
// C14N 1.1, digest SHA-384, X.509 certificates. Everything that it does not sign is itself.
// `malformed`: another shape, a second signature anywhere, a certificate that does not parse.
// `unsupported`: another algorithm.
Result<XmlSignature> find_signature(const XmlDocument& document);

// Has xmlsec ready, once in a process: a second start would lose what the first allocated.
void start_xmlsec();

// Both the digest of the reference and the signature value hold under the key of `signer`.
bool signature_holds(const XmlSignature& signature, const crypto::Certificate& signer);

}  // namespace cloister::evidence::rim
