// What an acceptance rests on that its vendor may take back while the evidence stays as it is. Who
// keeps it can be told later what the vendor's newest collateral makes of the platform, without the
// evidence and without a signature (evidence/standing.h).
#pragma once

#include <optional>

#include "crypto/hash.h"

namespace cloister::evidence {

enum class Format : uint8_t;

// A certificate below the vendor's root, as its entry in the list that would revoke it, or the name
// of the OCSP answer that would.
struct Revocable {
  bool of_platform = false;  // this one machine's and no other's
  Hash32 list_issuer{};      // key that signs the list, or that issued the certificate
  Hash32 entry{};            // entry_id
  bool operator==(const Revocable&) const = default;
};

// SHA-256("cloister revocation v1" ‖ 00 ‖ key of the list's issuer ‖ serial): a serial number names
// a machine, so it is kept out of sight. Keys are SHA-256 of SubjectPublicKeyInfo.
Hash32 entry_id(const Hash32& list_issuer, Bytes serial);

struct Standing {
  Format format{};
  Hash32 root_key{};  // of the vendor
  std::vector<Revocable> certificates;
  // Intel: dcap/tcb_facts.h. NVIDIA: nvidia/manifest_facts.h. AMD, whose lists are all that can
  // change: empty.
  Buffer facts;

  // u8 format ‖ root key ‖ u8 count ‖ each certificate (u8 0 or 1 ‖ issuer ‖ entry) ‖ facts to the
  // end.
  Buffer encode() const;
  static std::optional<Standing> decode(Bytes bytes);
  bool operator==(const Standing&) const = default;
};
constexpr size_t kMaxStandingBytes = 512;
constexpr size_t kMaxRevocables = 4;

}  // namespace cloister::evidence
