#include "evidence/nitro/chain.h"

#include <ranges>

#include "evidence/common/p384_chain.h"

namespace cloister::evidence::nitro {
namespace {

std::vector<const crypto::Certificate*> leaf_first(const Document& document) {
  std::vector<const crypto::Certificate*> out = {&document.leaf};
  for (const auto& each : document.cabundle | std::views::reverse) out.push_back(&each);
  return out;
}

}  // namespace

Result<bool> check_chain(const Document& document, const TrustAnchors& anchors) {
  return check_p384_chain(leaf_first(document),
                          {anchors.aws_nitro_root, anchors.development_nitro});
}

Result<UnixSeconds> check_windows(const Document& document, UnixSeconds now) {
  return check_chain_windows(leaf_first(document), now);
}

}  // namespace cloister::evidence::nitro
