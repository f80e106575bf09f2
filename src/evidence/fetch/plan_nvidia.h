// What must be asked of NVIDIA's services about a GPU or a switch.
#pragma once

#include "evidence/fetch/plan.h"

namespace cloister::evidence::fetch {

constexpr std::string_view kNvidiaRimHost = "rim.attestation.nvidia.com";
constexpr std::string_view kNvidiaOcspHost = "ocsp.ndis.nvidia.com";

// OCSP answers about the three certificates between leaf and root, and the manifests of driver and
// VBIOS, or of a switch's BIOS. `bad_evidence` when report and chain do not say what is needed.
std::expected<std::vector<Wanted>, FetchFault> plan_nvidia(
    const Evidence& evidence, const std::vector<crypto::Certificate>& device_chain);

// The second round, once manifests are there: OCSP answers about the chain of each.
std::expected<std::vector<Wanted>, FetchFault> plan_manifest_revocation(
    const std::vector<std::string>& manifests);

}  // namespace cloister::evidence::fetch
