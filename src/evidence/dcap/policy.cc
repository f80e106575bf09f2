#include "evidence/dcap/policy.h"

#include <algorithm>

#include "base/text.h"
#include "evidence/dcap/tcb_level.h"

namespace cloister::evidence::dcap {
namespace {

constexpr uint64_t bit(unsigned number) {
  return uint64_t{1} << number;
}

// Intel TDX Module ABI, TDATTRIBUTES.
constexpr uint64_t kDebug = bit(0);
constexpr uint64_t kSeptVeDisable = bit(28);
constexpr uint64_t kMigratable = bit(29);
constexpr uint64_t kProtectionKeys = bit(30);
constexpr uint64_t kKeyLocker = bit(31);
constexpr uint64_t kPerfmon = bit(63);
constexpr uint64_t kDefined =
    kDebug | kSeptVeDisable | kMigratable | kProtectionKeys | kKeyLocker | kPerfmon;

// Intel SDM, volume 3D, ATTRIBUTES.
constexpr uint8_t kEnclaveInit = 0x01;
constexpr uint8_t kEnclaveDebug = 0x02;

uint64_t attributes_of(const TdReport& td) {
  return ByteReader(td.td_attributes).u64_le().value();
}

std::unexpected<Fault> deny(std::string detail) {
  return refuse(Error::policy_denied, std::move(detail));
}

std::string attributes_text(const Quote& quote) {
  return quote.td() != nullptr ? "TDATTRIBUTES " + to_hex(quote.td()->td_attributes)
                               : "ATTRIBUTES " + to_hex(quote.enclave()->attributes);
}

Result<void> check_td_attributes(const TdReport& td, const VerifyPolicy& policy) {
  const uint64_t attributes = attributes_of(td);
  if ((attributes & ~kDefined) != 0) return deny("reserved bits of TDATTRIBUTES are set");
  if ((attributes & kSeptVeDisable) == 0 && !policy.allow_no_sept_ve_disable) {
    return deny("SEPT_VE_DISABLE is clear");
  }
  if ((attributes & kPerfmon) != 0 && !policy.allow_perfmon) return deny("PERFMON is set");
  if ((attributes & kMigratable) != 0 && !policy.allow_migration) return deny("MIGRATABLE is set");
  return {};
}

Result<void> check_enclave_attributes(const EnclaveReport& enclave) {
  if ((enclave.attributes[0] & kEnclaveInit) == 0) return deny("the enclave is not initialised");
  return {};
}

}  // namespace

bool is_debug(const Quote& quote) {
  if (const TdReport* td = quote.td()) return (attributes_of(*td) & kDebug) != 0;
  return (quote.enclave()->attributes[0] & kEnclaveDebug) != 0;
}

Result<std::string> check_debug(const Quote& quote, const VerifyPolicy& policy) {
  if (!is_debug(quote)) return std::string("off");
  if (policy.allow_debug) return std::string("on, allowed by policy");
  return refuse(Error::debug_enabled, attributes_text(quote));
}

Result<std::string> check_attributes(const Inputs& inputs,
                                     const std::vector<std::string>& advisories,
                                     const VerifyPolicy& policy) {
  const Quote& quote = inputs.quote;
  const auto kind = quote.td() != nullptr ? check_td_attributes(*quote.td(), policy)
                                          : check_enclave_attributes(*quote.enclave());
  if (!kind) return std::unexpected(kind.error());
  const uint64_t evaluation =
      std::min(inputs.tcb_info->evaluation_number, inputs.qe_identity->evaluation_number);
  if (evaluation < policy.min_tcb_evaluation_number) {
    return deny("TCB evaluation number " + std::to_string(evaluation) + ", expected at least " +
                std::to_string(policy.min_tcb_evaluation_number));
  }
  for (const std::string& denied : policy.denied_advisories) {
    if (std::ranges::binary_search(advisories, denied)) return deny("advisory " + denied);
  }
  return attributes_text(quote);
}

Result<std::string> check_service_td(const Quote& quote, const VerifyPolicy& policy) {
  const TdReport* td = quote.td();
  if (td == nullptr || !td->v1_5 || all_zero(td->v1_5->mr_service_td)) return std::string("none");
  if (policy.allow_service_td) return std::string("one, allowed by policy");
  return refuse(Error::service_td, "MRSERVICETD " + to_hex(td->v1_5->mr_service_td));
}

Result<std::string> check_status(TcbStatus status, const VerifyPolicy& policy) {
  if (accepted(status, policy.allow_out_of_date)) return std::string(name(status));
  return refuse(Error::tcb_status, std::string(name(status)));
}

}  // namespace cloister::evidence::dcap
