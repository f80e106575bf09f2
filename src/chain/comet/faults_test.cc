// One validator of four whose application does not do what it should: nobody else is harmed.
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "chain/abci/convert.h"
#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"
#include "ledger/types/beacon.h"

namespace cloister::chain::comet {
namespace {

const std::vector<size_t> kOthers = {0, 1, 2};
using abci::Request;
using abci::Response;

// Validator 3 runs with what stands between; the others as they should.
struct Faulty {
  explicit Faulty(const Between& between) {
    for (size_t i = 0; i < 4; ++i) {
      network[i].start_application(i == 3 ? between : Between());
      network[i].start_engine();
    }
  }
  void others_go_on(int64_t blocks) {
    ASSERT_TRUE(network[0].wait_height(2)) << network[0].engine_log();
    network.expect_agreement(kOthers, network[0].height() + blocks);
  }
  // Its engine notices that it is alone with what it holds, and stops there: it does not end.
  void expect_consensus_failure() {
    EXPECT_NE(network[3].engine_log().find("CONSENSUS FAILURE"), std::string::npos);
    EXPECT_LT(network[3].height(), network[0].height());
  }
  TestCometNetwork network;
};

TEST(CometFaults, AWrongAppHashStopsOnlyItself) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_finalize_block() && request.finalize_block().height() == 5) {
      (*out.mutable_finalize_block()->mutable_app_hash())[0] ^= 1;
    }
    return out;
  });
  f.others_go_on(10);
  f.expect_consensus_failure();
  EXPECT_LE(f.network[3].height(), 6);
}

TEST(CometFaults, SlowAnswersHoldUpNobodyForGood) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    // The fault itself: slower than a round.
    const bool slow = request.has_process_proposal() || request.has_prepare_proposal();
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(900));
    return host(request);
  });
  f.others_go_on(8);
  ASSERT_TRUE(f.network[3].wait_height(f.network[0].height()));
}

// What validator 3 proposes is refused by the others, and another round decides.
void expect_refused(const std::function<void(const Request&, Response&)>& spoil) {
  Faulty f([spoil](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_prepare_proposal()) spoil(request, out);
    return out;
  });
  for (const size_t i : kOthers) {
    ASSERT_TRUE(f.network[i].wait_refused(1)) << f.network[i].engine_log();
  }
  f.others_go_on(4);
  f.network.expect_agreement({0, 1, 2, 3}, f.network[0].height());
}

TEST(CometFaults, ATransactionTwiceInAProposalIsRefused) {
  CLOISTER_NEEDS_COMETBFT();
  expect_refused([](const Request&, Response& out) {
    out.mutable_prepare_proposal()->add_txs("twice");
    out.mutable_prepare_proposal()->add_txs("twice");
  });
}

TEST(CometFaults, ForgedSharesOfTheBeaconAreRefused) {
  CLOISTER_NEEDS_COMETBFT();
  expect_refused([](const Request& request, Response& out) {
    ledger::BeaconShares forged;
    forged.entries.resize(1);
    forged.entries[0].height = static_cast<uint64_t>(request.prepare_proposal().height());
    auto& txs = *out.mutable_prepare_proposal()->mutable_txs();
    txs.Clear();
    *txs.Add() = abci::string_of(forged.encode());
  });
}

// Such a block is decided, and what is wrong in it fails.
TEST(CometFaults, InvalidTransactionsInAProposalFailInTheirBlock) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_prepare_proposal()) {
      const std::string height = std::to_string(request.prepare_proposal().height());
      out.mutable_prepare_proposal()->add_txs("nonsense of height " + height);
    }
    return out;
  });
  const std::string failed = std::to_string(static_cast<int>(ledger::Code::malformed));
  f.others_go_on(1);
  for (int64_t h = 1;; ++h) {
    ASSERT_LT(h, 40) << "validator 3 has proposed nothing";
    ASSERT_TRUE(f.network[0].wait_height(h + 1));
    const JsonValue results =
        f.network[0].call("block_results", JsonValue::object({{"height", light::decimal(h)}}));
    const auto* txs = results["txs_results"].array();
    if (!txs || txs->empty()) continue;
    EXPECT_EQ((*txs)[0]["code"].dump(), failed);
    break;
  }
  f.network.expect_agreement({0, 1, 2, 3}, f.network[0].height());
}

TEST(CometFaults, AProposalLargerThanABlockStopsItsOwnEngine) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_prepare_proposal()) {
      const auto size = static_cast<size_t>(request.prepare_proposal().max_tx_bytes()) + 1;
      out.mutable_prepare_proposal()->add_txs(std::string(size, 'x'));
    }
    return out;
  });
  f.others_go_on(10);
  f.expect_consensus_failure();
}

TEST(CometFaults, WhoRefusesEveryProposalIsOutvoted) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_process_proposal()) {
      out.mutable_process_proposal()->set_status(abci::PROPOSAL_REJECT);
    }
    return out;
  });
  f.others_go_on(6);
  f.network.expect_agreement({0, 1, 2, 3}, f.network[0].height());
}

TEST(CometFaults, ExtensionsThatAreWithheldOrNonsenseAreLeftOut) {
  CLOISTER_NEEDS_COMETBFT();
  Faulty f([](const Request& request, const abci::Handler& host) {
    Response out = host(request);
    if (out.has_extend_vote()) {
      const bool nothing = request.extend_vote().height() % 2 == 0;
      out.mutable_extend_vote()->set_vote_extension(nothing ? "" : "nonsense");
    }
    return out;
  });
  f.others_go_on(6);
  // The shares of the others are enough for a draw.
  TestClient client = f.network.client(kOthers);
  bring_up_instance(f.network, client);
  expect_a_draw(f.network, client);
  f.network.expect_agreement({0, 1, 2, 3}, f.network[0].height());
}

}  // namespace
}  // namespace cloister::chain::comet
