// The C interface over the verifier. Nothing leaves it but what cloister.h names: no exception, no
// C++ type, no symbol.
#include <algorithm>
#include <map>
#include <mutex>
#include <new>

#include "cloister/cloister.h"
#include "embed/requirements.h"
#include "evidence/common/appraisal_json.h"
#include "evidence/verifier.h"

using namespace cloister;
using evidence::Binding;
using evidence::Verification;

struct cloister_verifier {
  evidence::Collateral collateral;
  evidence::VerifyPolicy policy;

  // Made at the first verification after a change.
  mutable std::mutex mutex;
  mutable std::shared_ptr<const evidence::Verifier> prepared;

  void changed() {
    const std::lock_guard lock(mutex);
    prepared.reset();
  }
  std::shared_ptr<const evidence::Verifier> ready() const {
    const std::lock_guard lock(mutex);
    if (!prepared) prepared = std::make_shared<const evidence::Verifier>(collateral, policy);
    return prepared;
  }
};

struct cloister_report {
  cloister_verdict verdict = CLOISTER_REJECTED;
  std::string error, detail, status, json;
  bool development = false;
  std::map<std::string, std::string, std::less<>> claims;  // filled when accepted
};

namespace {

constexpr size_t kMaxDevelopmentRoots = 8;
constexpr size_t kMaxBindingBytes = 512;

// Every function of the interface runs inside this.
template <typename Body>
cloister_result guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return CLOISTER_NO_MEMORY;
  } catch (...) {
    return CLOISTER_INTERNAL;
  }
}

Bytes lent(const uint8_t* data, size_t size) {
  return {data, size};
}

// Nothing when the caller did not say what it expects, or contradicts itself.
std::optional<Binding> binding_from(const cloister_binding& given) {
  const bool report_data = given.report_data != nullptr, nonce = given.nonce != nullptr;
  if (given.not_compared != 0 && given.not_compared != 1) return std::nullopt;
  if ((report_data || nonce) == (given.not_compared == 1)) return std::nullopt;
  if (report_data != (given.report_data_size != 0) || nonce != (given.nonce_size != 0) ||
      given.report_data_size > kMaxBindingBytes || given.nonce_size > kMaxBindingBytes) {
    return std::nullopt;
  }
  Binding out = Binding::not_compared();
  if (report_data) out = out.and_report_data(lent(given.report_data, given.report_data_size));
  if (nonce) out = out.and_nonce(lent(given.nonce, given.nonce_size));
  return out;
}

std::unique_ptr<cloister_report> report_of(const Verification& verification) {
  const evidence::Appraisal& appraisal = verification.appraisal;
  auto out = std::make_unique<cloister_report>();
  out->verdict = verification.verified ? CLOISTER_ACCEPTED : CLOISTER_REJECTED;
  if (appraisal.error) out->error = name(*appraisal.error);
  out->detail = appraisal.detail;
  if (appraisal.status) out->status = name(*appraisal.status);
  out->json = evidence::to_json(appraisal).dump();
  out->development = appraisal.development;
  if (!verification.verified) return out;
  for (const auto& [claim, value] : *appraisal.claims.members()) {
    if (const auto text = value.string()) out->claims.emplace(claim, *text);
  }
  return out;
}

const char* text_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

extern "C" {

uint32_t cloister_abi_version(void) {
  return CLOISTER_ABI_VERSION;
}
const char* cloister_version(void) {
  return CLOISTER_LIBRARY_VERSION;
}

const char* cloister_describe(cloister_result result) {
  switch (result) {
    case CLOISTER_OK:
      return "done";
    case CLOISTER_BAD_ARGUMENT:
      return "an argument is missing or contradicts another";
    case CLOISTER_NOT_COLLATERAL:
      return "not collateral of a known kind, or too much of it";
    case CLOISTER_UNKNOWN_NAME:
      return "no such name, or not a value of its form";
    case CLOISTER_NO_MEMORY:
      return "out of memory";
    case CLOISTER_INTERNAL:
      return "a fault of the library";
  }
  return "not a result of this library";
}

cloister_result cloister_verifier_new(cloister_verifier** out) {
  if (out == nullptr) return CLOISTER_BAD_ARGUMENT;
  return guarded([&] {
    *out = new cloister_verifier;
    return CLOISTER_OK;
  });
}

void cloister_verifier_free(cloister_verifier* verifier) {
  delete verifier;
}

cloister_result cloister_verifier_add_collateral(cloister_verifier* verifier, const uint8_t* file,
                                                 size_t size) {
  if (verifier == nullptr || file == nullptr) return CLOISTER_BAD_ARGUMENT;
  return guarded([&] {
    if (!verifier->collateral.add(lent(file, size))) return CLOISTER_NOT_COLLATERAL;
    verifier->changed();
    return CLOISTER_OK;
  });
}

cloister_result cloister_verifier_allow(cloister_verifier* verifier, const char* permission) {
  if (verifier == nullptr || permission == nullptr) return CLOISTER_BAD_ARGUMENT;
  return guarded([&] {
    if (!evidence::allow(verifier->policy, permission)) return CLOISTER_UNKNOWN_NAME;
    verifier->changed();
    return CLOISTER_OK;
  });
}

cloister_result cloister_verifier_require(cloister_verifier* verifier, const char* requirement,
                                          const char* value) {
  if (verifier == nullptr || requirement == nullptr || value == nullptr) {
    return CLOISTER_BAD_ARGUMENT;
  }
  return guarded([&] {
    if (!embed::require(verifier->policy, requirement, value)) return CLOISTER_UNKNOWN_NAME;
    verifier->changed();
    return CLOISTER_OK;
  });
}

cloister_result cloister_verifier_add_development_root(cloister_verifier* verifier,
                                                       const uint8_t* pem, size_t size) {
  if (verifier == nullptr || pem == nullptr) return CLOISTER_BAD_ARGUMENT;
  return guarded([&] {
    if (size > evidence::kMaxCollateralFileBytes) return CLOISTER_NOT_COLLATERAL;
    const auto roots =
        crypto::certificates_from_pem(as_text(lent(pem, size)), kMaxDevelopmentRoots);
    if (!roots || roots->empty()) return CLOISTER_NOT_COLLATERAL;
    for (const auto& root : *roots) add_development_root(verifier->policy.anchors, root);
    verifier->changed();
    return CLOISTER_OK;
  });
}

cloister_result cloister_verify(const cloister_verifier* verifier, const char* format,
                                const uint8_t* data, size_t size, const cloister_binding* binding,
                                int64_t unix_seconds, cloister_report** out) {
  if (out == nullptr) return CLOISTER_BAD_ARGUMENT;
  *out = nullptr;
  if (verifier == nullptr || format == nullptr || data == nullptr || binding == nullptr) {
    return CLOISTER_BAD_ARGUMENT;
  }
  return guarded([&] {
    const auto kind = evidence::format_from(format);
    if (!kind) return CLOISTER_UNKNOWN_NAME;
    const auto expected = binding_from(*binding);
    if (!expected) return CLOISTER_BAD_ARGUMENT;
    // What is too large is refused by its size; one byte more than the limit says as much.
    const Bytes bytes = lent(data, std::min(size, evidence::kMaxEvidenceBytes + 1));
    const Verification verification =
        verifier->ready()->verify({*kind, to_buffer(bytes)}, *expected, unix_seconds);
    *out = report_of(verification).release();
    return CLOISTER_OK;
  });
}

// A null report is no accepted one.
cloister_verdict cloister_report_verdict(const cloister_report* report) {
  return report == nullptr ? CLOISTER_REJECTED : report->verdict;
}
const char* cloister_report_error(const cloister_report* report) {
  return report == nullptr ? nullptr : text_or_null(report->error);
}
const char* cloister_report_detail(const cloister_report* report) {
  return report == nullptr ? "" : report->detail.c_str();
}
const char* cloister_report_status(const cloister_report* report) {
  return report == nullptr ? nullptr : text_or_null(report->status);
}
const char* cloister_report_development(const cloister_report* report) {
  return report != nullptr && report->development ? evidence::kNoProtection.data() : nullptr;
}
const char* cloister_report_claim(const cloister_report* report, const char* name) {
  if (report == nullptr || name == nullptr) return nullptr;
  const auto found = report->claims.find(std::string_view(name));
  return found == report->claims.end() ? nullptr : found->second.c_str();
}
const char* cloister_report_json(const cloister_report* report) {
  return report == nullptr ? "{}" : report->json.c_str();
}
void cloister_report_free(cloister_report* report) {
  delete report;
}

}  // extern "C"
