#include <algorithm>

#include "evidence/common/policy.h"

namespace cloister::evidence {
namespace {

struct Permission {
  std::string_view name;
  bool VerifyPolicy::* flag;
};
constexpr Permission kPermissions[] = {
    {"debug", &VerifyPolicy::allow_debug},
    {"out_of_date", &VerifyPolicy::allow_out_of_date},
    {"service_td", &VerifyPolicy::allow_service_td},
    {"perfmon", &VerifyPolicy::allow_perfmon},
    {"no_sept_ve_disable", &VerifyPolicy::allow_no_sept_ve_disable},
    {"no_revocation", &VerifyPolicy::allow_no_revocation},
    {"migration", &VerifyPolicy::allow_migration},
    {"no_rim", &VerifyPolicy::allow_no_rim},
};

}  // namespace

std::vector<std::string_view> permissions() {
  std::vector<std::string_view> out;
  for (const Permission& each : kPermissions) out.push_back(each.name);
  return out;
}

bool allow(VerifyPolicy& policy, std::string_view permission) {
  const auto* found = std::ranges::find(kPermissions, permission, &Permission::name);
  if (found == std::end(kPermissions)) return false;
  policy.*found->flag = true;
  return true;
}

void add_development_root(TrustAnchors& anchors, const crypto::Certificate& root) {
  for (auto* list :
       {&anchors.development_intel, &anchors.development_amd, &anchors.development_nvidia,
        &anchors.development_nitro, &anchors.development_tpm}) {
    list->push_back(root.spki_sha256());
  }
}

}  // namespace cloister::evidence
