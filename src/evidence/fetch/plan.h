// What must be asked of whom to judge a piece of evidence: addresses and what an answer has to be.
// Pure; the asking is in fetch.h.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence::fetch {

// Why collateral could not be had. The names are interface (`cloister collateral fetch`).
enum class FetchError : uint8_t {
  bad_evidence = 1,     // not of its format, so it does not say what it needs
  nothing_to_fetch,     // the format carries all it needs, or its keys come by hand
  product_unknown,      // a version 2 report names no product line and the caller neither
  host_refused,         // not an address of the kind that is allowed
  unreachable,          // name, connection or TLS; `detail` says which
  deadline,             // an answer did not come in time
  too_large,            // an answer over its limit
  not_found,            // the service has no such object (404)
  refused_by_service,   // any other status than 200; redirects are never followed
  bad_answer,           // 200, and not what was asked for
  folder_not_writable,  // the target exists and is not empty, or cannot be written
};
std::string_view name(FetchError error);      // "not_found"
std::string_view describe(FetchError error);  // one sentence

struct FetchFault {
  FetchError error;
  std::string detail;  // the address and what was seen
};

// How an answer becomes a file.
enum class AnswerForm : uint8_t {
  signed_json,  // the body is Intel's JSON; its signers stand URL-encoded in `chain_header`
  crl,          // DER, or DER in hexadecimal digits as a PCCS gives it
  certificate,  // DER
  pem_chain,
  manifest,  // NVIDIA's JSON with a SWID document inside, in base64
  ocsp,      // DER
};

struct Wanted {
  std::string file;    // in the folder: "tcb_info.json"
  std::string host;    // https, port 443
  std::string target;  // path and query
  AnswerForm form;
  std::string chain_header;  // signed_json only
  std::string chain_file;    // where the signers go
  Buffer body{};             // not empty: a POST of an OCSP request
};

struct PlanOptions {
  // AMD product line, for version 2 reports, which do not name it.
  std::optional<std::string> product{};
  // A PCCS in Intel's place: "host" or "host:port".
  std::optional<std::string> pccs{};
  // Of an NVIDIA device, which its report does not carry.
  std::vector<crypto::Certificate> device_chain{};
};

constexpr std::string_view kIntelHost = "api.trustedservices.intel.com";
constexpr std::string_view kIntelCertificatesHost = "certificates.trustedservices.intel.com";
constexpr std::string_view kAmdHost = "kdsintf.amd.com";

// In a fixed order. The evidence is not verified: a forged one names what it likes, and whatever is
// fetched for it is judged by signatures later. Every part of a target is hexadecimal digits,
// decimal numbers or a word of a closed list.
std::expected<std::vector<Wanted>, FetchFault> plan(const Evidence& evidence,
                                                    const PlanOptions& options);

}  // namespace cloister::evidence::fetch
