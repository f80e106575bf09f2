// What is under the signature of TCB info occurs in the document as it came, and levels fall.
#include <cstdlib>

#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/tcb_info.h"

using namespace cloister;
using namespace cloister::evidence::dcap;

static void check_levels(const std::vector<EnclaveLevel>& levels) {
  if (levels.empty()) abort();
  for (size_t i = 1; i < levels.size(); ++i) {
    if (levels[i - 1].isv_svn <= levels[i].isv_svn) abort();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(Bytes(data, size));
  if (const auto info = parse_tcb_info(text)) {
    if (text.find(info->document.signed_text) == std::string_view::npos) abort();
    for (const auto& module : info->module_identities) check_levels(module.levels);
    for (size_t i = 1; i < info->levels.size(); ++i) {
      if (info->levels[i - 1].sgx_components < info->levels[i].sgx_components) abort();
    }
  }
  if (const auto identity = parse_qe_identity(text)) {
    if (text.find(identity->document.signed_text) == std::string_view::npos) abort();
    check_levels(identity->levels);
  }
  return 0;
}
