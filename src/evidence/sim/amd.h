// A simulated AMD: root, intermediate, chips with their endorsement keys, revocation list and
// reports in the exact formats of SEV-SNP. It protects nothing. Its reports run through the true
// verifier, which accepts them only when the caller lists this root among
// `TrustAnchors::development_amd`, and then marks them `development`.
#pragma once

#include "crypto/x509.h"
#include "evidence/sim/files.h"

namespace cloister::evidence::sim {

enum class AmdProduct : uint8_t { milan, genoa };
std::string_view name(AmdProduct product);  // "Milan"

constexpr uint32_t kAmdChips = 16;  // each hierarchy comes with this many chips

// --- building blocks: what the simulator is made of, and what tests of single faults bend
// ------------
struct AmdAuthority {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

struct AmdWindow {
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
};

struct VcekParameters {
  Fixed<8> tcb{};
  Fixed<64> chip_id{};
  AmdWindow window;
  Buffer serial;  // AMD gives every VCEK serial 0, which is the empty buffer here
  std::string product_name;
};

Fixed<8> amd_tcb(AmdProduct product);  // of the simulated firmware, in the report's byte order

// RSA-4096, RSASSA-PSS; making the key takes seconds.
AmdAuthority make_ark(AmdProduct product, const AmdWindow& window);
AmdAuthority make_ask(AmdProduct product, const AmdAuthority& ark, const AmdWindow& window);
crypto::Certificate issue_ask(AmdProduct product, const AmdAuthority& ark,
                              const crypto::PrivateKey& ask_key, const AmdWindow& window);
crypto::Certificate issue_vcek(const AmdAuthority& ask, const crypto::PrivateKey& vcek_key,
                               const VcekParameters& parameters);

// What a guest is: everything that its report says except whose chip it runs on.
struct SnpParameters {
  Fixed<48> measurement{};
  Fixed<32> host_data{};
  uint64_t policy = 0x30000;  // SMT allowed, bit 17
  uint32_t vmpl = 0;
  uint32_t chip = 0;  // below kAmdChips
};

// Version 3, 1184 bytes, signature area zero.
Buffer encode_report(AmdProduct product, const SnpParameters& parameters, const Fixed<64>& chip_id,
                     const Fixed<64>& report_data);
void sign_report(Buffer& report, const crypto::PrivateKey& vcek_key);

// --- the simulator
// ---------------------------------------------------------------------------------
class AmdSimulator {
 public:
  // New keys. Certificates are valid from a day before `now`; roots for 25 years, chips for 7.
  static AmdSimulator create(AmdProduct product, UnixSeconds now);
  // What `save` wrote. Nothing when a file is absent, broken or of another hierarchy.
  static std::optional<AmdSimulator> load(const std::filesystem::path& folder);
  [[nodiscard]] bool save(const std::filesystem::path& folder) const;

  AmdProduct product() const { return product_; }
  Hash32 ark_spki() const { return ark_.certificate.spki_sha256(); }
  const crypto::Certificate& ark() const { return ark_.certificate; }
  Fixed<64> chip_id(uint32_t chip) const;  // the same for every load, another for every hierarchy

  // Chain, this chip's VCEK and a revocation list of now that names nothing and lasts 30 days.
  Files collateral(uint32_t chip, UnixSeconds now) const;
  Buffer report(const SnpParameters& parameters, const Fixed<64>& report_data) const;

  // Let tests issue what this hierarchy would never issue.
  const AmdAuthority& ark_for_testing() const { return ark_; }
  const AmdAuthority& ask_for_testing() const { return ask_; }
  const crypto::PrivateKey& vcek_key_for_testing(uint32_t chip) const {
    return chips_.at(chip).key;
  }

 private:
  AmdSimulator(AmdProduct product, AmdAuthority ark, AmdAuthority ask)
      : product_(product), ark_(std::move(ark)), ask_(std::move(ask)) {}
  bool consistent() const;

  AmdProduct product_;
  AmdAuthority ark_;
  AmdAuthority ask_;
  std::vector<AmdAuthority> chips_;  // VCEK keys and certificates
};

}  // namespace cloister::evidence::sim
