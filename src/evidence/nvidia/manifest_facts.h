// Which reference manifests an accepted device was compared with, so that a newer issue of one can
// be told from the one that counted.
#pragma once

#include "crypto/hash.h"
#include "evidence/rim/rim.h"

namespace cloister::evidence::nvidia {

// SHA-256 of the three, each as u32be length ‖ text: what a manifest is the newest of.
Hash32 manifest_subject(std::string_view product, std::string_view edition,
                        std::string_view version);

// SHA-256 over all goldens in order: u32be index ‖ u8 active ‖ u32be size ‖ u8 count ‖ each
// alternative (u32be length ‖ bytes).
Hash32 goldens_digest(std::span<const rim::Golden> goldens);

struct ManifestFact {
  Hash32 root_key{};  // SHA-256 of SubjectPublicKeyInfo
  Hash32 subject{};   // manifest_subject
  Hash32 goldens{};   // goldens_digest
  bool operator==(const ManifestFact&) const = default;
};

// Root key ‖ subject ‖ goldens of each, one after the other.
Buffer encode(std::span<const ManifestFact> facts);
std::optional<std::vector<ManifestFact>> decode_manifest_facts(Bytes bytes);

constexpr size_t kMaxManifestFacts = 2;  // driver and VBIOS

}  // namespace cloister::evidence::nvidia
