// Making snapshots beside the work: what fails there is told and harms nothing else.
#include "chain/abci/snapshots.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder_testing.h"
#include "chain/abci/instance_testing.h"
#include "chain/ledger_application.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain::abci {
namespace {

class SnapshotsTest : public testing::Test {
 protected:
  static std::shared_ptr<const StateView> view() {
    return (*LedgerApplication::create(driven_genesis(),
                                       std::make_shared<ledger::ScriptedVerifier>(), std::nullopt))
        ->view();
  }
  const TemporaryFolder folder_;
};

TEST_F(SnapshotsTest, TheNewestTwoAreKept) {
  Snapshots snapshots(folder_.file("snapshots"));
  for (const int64_t height : {1, 2, 3}) {
    snapshots.make(height, view());
    snapshots.wait();
  }
  const auto list = snapshots.list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].height, 3);
  EXPECT_EQ(list[1].height, 2);
  EXPECT_FALSE(snapshots.chunk(1, 0));
  EXPECT_TRUE(snapshots.chunk(3, 0));
}

// A node that lost its state makes the same height once more.
TEST_F(SnapshotsTest, OneOfTheSameHeightIsReplaced) {
  int failed = 0;
  Snapshots snapshots(folder_.file("snapshots"), [&](int64_t, ChainError) { ++failed; });
  for (int i = 0; i < 2; ++i) {
    snapshots.make(5, view());
    snapshots.wait();
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(snapshots.list().size(), 1u);
}

TEST_F(SnapshotsTest, WhatCannotBeWrittenIsTold) {
  std::ofstream(folder_.file("in the way")) << "a file";
  std::vector<int64_t> told;
  Snapshots snapshots(folder_.file("in the way"), [&](int64_t height, ChainError error) {
    EXPECT_EQ(error, ChainError::io);
    told.push_back(height);
  });
  snapshots.make(7, view());
  snapshots.wait();
  EXPECT_EQ(told, (std::vector<int64_t>{7}));
  EXPECT_TRUE(snapshots.list().empty());
}

}  // namespace
}  // namespace cloister::chain::abci
