// The provisioning certification key's certificate: its chain as a quote carries it, and the SGX
// extension that names the platform and its patch level (Intel PCK certificate specification).
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence::dcap {

struct PckChain {
  crypto::Certificate leaf;
  crypto::Certificate intermediate;
  crypto::Certificate root;
};

// Exactly three certificates, leaf first, in the one PEM text that these certificates have (64
// characters a line, LF), optionally followed by one NUL. A departure from the leniency of PEM: the
// text lies outside every signature, and two texts for one chain would make quotes malleable. Of
// those in `known` nothing is taken apart again.
Result<PckChain> parse_pck_chain(Bytes pem, std::span<const crypto::Certificate> known = {});

enum class SgxType : uint8_t { standard = 0, scalable = 1, scalable_with_integrity = 2 };

// 1.2.840.113741.1.13.1
struct PckExtension {
  Fixed<16> ppid;
  Fixed<16> cpu_svn;  // the 16 components
  uint16_t pce_svn;
  Fixed<2> pce_id;
  Fixed<6> fmspc;
  SgxType sgx_type;
  std::optional<Fixed<16>> platform_instance_id;  // Platform CA only
  struct Configuration {
    bool dynamic_platform;
    bool cached_keys;
    bool smt_enabled;
  };
  std::optional<Configuration> configuration;
};

// Nothing on bad DER, an unknown, missing or repeated member, a component past 255, or a CPUSVN
// that differs from the components.
std::optional<PckExtension> parse_pck_extension(Bytes der);

// `malformed` when the leaf has no such extension or it does not parse.
Result<PckExtension> pck_extension_of(const crypto::Certificate& leaf);

}  // namespace cloister::evidence::dcap
