// Nodes with GPUs: the CPU's evidence on a connection names the GPU evidence that the ledger
// verified.
#include <gtest/gtest.h>

#include "evidence/common/authority_testing.h"
#include "hostile_testing.h"
#include "trust/report.h"

namespace cloister::hostile {
namespace {

// At the time of NVIDIA's test hierarchy.
struct Later : World {
  Later() : World(evidence::kTestNow * 1000 - SystemClock().now_ms()) {}
};

const trust::Row& gpu_row(const trust::Report& report) {
  return *std::ranges::find(report.checks, "gpu", &trust::Row::name);
}

TEST(HostileGpu, OfAnHonestNodeIsVerifiedAndNamed) {
  Later world;
  world.honest_node("operator", 0, true);
  Gateway& gateway = world.keep(std::make_unique<Gateway>(world));
  const Asked asked = gateway.ask();
  ASSERT_TRUE(asked.result) << asked.error->message;
  const auto report = trust::evaluate(asked.result->bundle, {world.genesis.hash(), std::nullopt});
  EXPECT_EQ(report.first_failure(), nullptr);
  EXPECT_EQ(gpu_row(report).found, "1 verified by the ledger, named by the CPU's evidence");
  EXPECT_TRUE(std::ranges::any_of(report.not_proven, [](const std::string& line) {
    return line.find("one machine") != std::string::npos;
  }));
}

// The ledger's policy admits it; the user's own need not.
TEST(HostileGpu, ThatTheUsersOwnRulesRefuse) {
  Later world;
  auto& node = world.keep(std::make_unique<HostileNode>(world, "operator", 0, true));
  policy::LocalPolicy kind, product;
  kind.refused_formats = {evidence::Format::nvidia_gpu};
  product.distrusted_products = {"GH100"};
  for (const auto& [local, why] : {std::pair(kind, "paused"), std::pair(product, "product")}) {
    Gateway& gateway = world.keep(std::make_unique<Gateway>(world, nullptr, nullptr, local));
    const Asked asked = gateway.ask();
    ASSERT_TRUE(asked.error);
    EXPECT_EQ(asked.error->message, untrusted(std::string("gpu: refused by policy: ") + why));
    EXPECT_EQ(node.heard(), "");
  }
}

// Its CPU vouches for other GPUs than those of the registration, or for none.
TEST(HostileGpu, OtherThanTheRegisteredOnes) {
  Later world;
  auto& node = world.keep(std::make_unique<HostileNode>(world, "operator", 0, true));
  const Hash32 registered = node.claims.gpu_evidence_sha256;
  ASSERT_NE(registered, Hash32{});
  for (const Hash32& named : {Hash32{}, Hash32{1}}) {
    node.claims.gpu_evidence_sha256 = named;
    const Asked asked = world.keep(std::make_unique<Gateway>(world)).ask();
    ASSERT_TRUE(asked.error);
    EXPECT_TRUE(asked.error->message.starts_with(untrusted("gpu: "))) << asked.error->message;
    EXPECT_EQ(node.heard(), "");
  }
  node.claims.gpu_evidence_sha256 = registered;
  const Asked asked = world.keep(std::make_unique<Gateway>(world)).ask();
  EXPECT_EQ(asked.error->code, gateway::ApiCode::node_lost) << asked.error->message;
  EXPECT_NE(node.heard(), "");
}

// A machine without GPUs cannot borrow the digest of somebody's.
TEST(HostileGpu, NamedByANodeThatRegisteredNone) {
  World world;
  auto& node = world.keep(std::make_unique<HostileNode>(world));
  node.claims.gpu_evidence_sha256 = Hash32{1};
  const Asked asked = world.keep(std::make_unique<Gateway>(world)).ask();
  ASSERT_TRUE(asked.error);
  EXPECT_TRUE(asked.error->message.starts_with(untrusted("gpu: "))) << asked.error->message;
  EXPECT_EQ(node.heard(), "");
}

}  // namespace
}  // namespace cloister::hostile
