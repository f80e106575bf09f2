// Reference integrity manifests of NVIDIA: SWID documents (ISO/IEC 19770-2:2015) with an XML
// signature, which say what a driver, a VBIOS or a switch BIOS measures.
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence::rim {

class RimVerification;

constexpr size_t kMaxGoldens = 256;
constexpr size_t kMaxAlternatives = 16;

// What one measurement index may read. RIM index i stands for SPDM block i + 1.
struct Golden {
  uint32_t index = 0;
  bool active = false;  // only active ones are compared
  uint32_t size_bytes = 0;
  std::vector<Buffer> alternatives;  // any one of them
  bool operator==(const Golden&) const = default;
};

// A document whose two digests, signer and chain hold at a time. Only verify_rim makes one, and
// everything in it was read from the tree that the signature covers.
class VerifiedRim {
 public:
  const std::string& id() const { return id_; }                    // tagId: opaque
  const std::string& version() const { return version_; }          // colloquialVersion
  const std::string& product() const { return product_; }          // "GH100"
  const std::string& edition() const { return edition_; }          // "GPU", "SWITCH"
  const std::vector<Golden>& goldens() const { return goldens_; }  // by index, ascending
  const Hash32& root_key() const { return root_key_; }             // of the chain
  bool development() const { return development_; }
  UnixSeconds signer_not_before() const { return signer_not_before_; }  // the newest issue wins
  UnixSeconds valid_until() const { return valid_until_; }

 private:
  friend class RimVerification;
  VerifiedRim() = default;
  std::string id_, version_, product_, edition_;
  std::vector<Golden> goldens_;
  Hash32 root_key_{};
  bool development_ = false;
  UnixSeconds signer_not_before_ = 0;
  UnixSeconds valid_until_ = 0;
};

// What a document calls itself, for choosing among candidates. Nothing of it is authentic yet.
struct RimHeader {
  std::string version;
  std::string product;
  std::string edition;
  UnixSeconds signer_not_before = 0;
};
// Refuses as parse_swid does.
Result<RimHeader> header_of(std::string_view document);

// Decides whether NVIDIA signed `document` and its signer is valid at `now`: a chain of four to a
// pinned RIM root, both ends of every window, OCSP answers about the three below the root (unless
// policy waives absent ones), both the digest of the one reference and the signature value.
// Refusals in the order of `Error`.
Result<VerifiedRim> verify_rim(std::string_view document, const Collateral& collateral,
                               const VerifyPolicy& policy, UnixSeconds now);

// The same as an appraisal of its own (format `nvidia_rim`). A manifest answers nobody, so a
// binding that expects something is refused.
Verification verify_nvidia_rim(Bytes document, const Collateral& collateral,
                               const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

}  // namespace cloister::evidence::rim
