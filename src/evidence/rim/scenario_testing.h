// Reference manifests and OCSP answers under a test hierarchy, from parameters of which a test
// bends one: everything is signed as it should be, so that only the check under test can refuse.
#pragma once

#include <functional>

#include "crypto/ocsp.h"
#include "evidence/common/authority_testing.h"
#include "evidence/rim/rim.h"

namespace cloister::evidence::rim {

constexpr UnixSeconds kNow = kTestNow;
constexpr UnixSeconds kHour = kTestHour;

crypto::IssueExtension ocsp_signing();  // extendedKeyUsage id-kp-OCSPSigning

// signer ← issuing ← product ← root; responder ← root. The root is a development root of NVIDIA.
struct Hierarchy {
  Authority root, product, issuing, signer, responder;
};
const Hierarchy& hierarchy();

// One OCSP response about `subjects`, each below the next in `chain`.
Buffer ocsp_about(std::span<const crypto::Certificate> chain, crypto::OcspAnswer answer,
                  const Authority& responder);

// `body`: a document without its signature, from the root's start tag up to its end tag. Signs it
// in NVIDIA's form, with these certificates in KeyInfo.
std::string sign_document(std::string body, const crypto::PrivateKey& key,
                          std::span<const crypto::Certificate> certificates);

struct Measurement {
  uint32_t index;
  std::vector<Buffer> alternatives;
  bool active = true;
};

struct Scenario {
  Scenario();

  std::string version = "96.00.74.00.1C", product = "GH100", edition = "GPU";
  std::vector<Measurement> measurements;
  std::vector<crypto::Certificate> chain;  // signer first
  const crypto::PrivateKey* signer;
  std::function<void(std::string&)> bend_body{};      // before it is signed
  std::function<void(std::string&)> bend_document{};  // after
  // About each certificate of the chain but the last; left out when empty.
  std::optional<crypto::OcspAnswer> answer;
  const Authority* responder;
  std::function<void(Buffer&)> bend_response{};

  VerifyPolicy policy{};
  UnixSeconds now = kNow;

  std::string document() const;
  Collateral collateral() const;
  Verification judge() const {
    return verify_nvidia_rim(as_bytes(document()), collateral(), policy, Binding::not_compared(),
                             now);
  }
};

}  // namespace cloister::evidence::rim
