// A simulated Intel: root, PCK CA, TCB signer, platforms with their provisioning keys, collateral
// and TDX quotes in the exact formats of DCAP. It protects nothing. Its quotes run through the true
// verifier, which accepts them only when the caller lists this root among
// `TrustAnchors::development_intel`, and then marks them `development`.
#pragma once

#include "evidence/sim/files.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::sim {

constexpr uint32_t kIntelPlatforms = 16;  // each hierarchy comes with this many

// What a TD is: everything that its quote says except the report data.
struct TdxParameters {
  Fixed<48> mrtd{};
  std::array<Fixed<48>, 4> rtmrs{};
  Fixed<48> mrconfigid{};
  uint64_t td_attributes = kTdSeptVeDisable;
  uint32_t platform = 0;  // below kIntelPlatforms
};

class IntelSimulator {
 public:
  // New keys. Certificates are valid from a day before `now`: the root for 25 years, others for 7.
  static IntelSimulator create(UnixSeconds now);
  // What `save` wrote. Nothing when a file is absent, broken or of another hierarchy.
  static std::optional<IntelSimulator> load(const std::filesystem::path& folder);
  [[nodiscard]] bool save(const std::filesystem::path& folder) const;

  Hash32 root_spki() const { return root_.certificate.spki_sha256(); }
  // The same for every load, another for every hierarchy.
  IntelPlatform platform(uint32_t index) const;

  // TCB info, QE identity, their signing chain and both revocation lists, which name nothing. Good
  // from an hour before `now`, so that verifiers with other clocks agree, for 30 days.
  Files collateral(UnixSeconds now) const;
  // Version 4, with a fresh attestation key as a quoting enclave makes one at each start.
  Buffer quote(const TdxParameters& parameters, const Fixed<64>& report_data) const;

  // Leaf, PCK CA and root, as a quote carries them.
  std::string pck_chain(uint32_t platform) const;

  // Let tests issue what this hierarchy would never issue.
  const IntelAuthority& root_for_testing() const { return root_; }
  const IntelAuthority& platform_ca_for_testing() const { return platform_ca_; }
  const IntelAuthority& tcb_signing_for_testing() const { return tcb_signing_; }
  const IntelAuthority& pck_for_testing(uint32_t platform) const { return pcks_.at(platform); }

 private:
  IntelSimulator(IntelAuthority root, IntelAuthority platform_ca, IntelAuthority tcb_signing)
      : root_(std::move(root)),
        platform_ca_(std::move(platform_ca)),
        tcb_signing_(std::move(tcb_signing)) {}
  bool consistent() const;

  IntelAuthority root_;
  IntelAuthority platform_ca_;
  IntelAuthority tcb_signing_;
  std::vector<IntelAuthority> pcks_;
};

}  // namespace cloister::evidence::sim
