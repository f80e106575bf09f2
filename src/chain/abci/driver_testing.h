// A consensus engine without consensus: it makes blocks of its own choosing and takes several
// instances of the ledger through them over their sockets, in every order that the protocol allows
// (41-consensus, 2.4 and 9), with crashes anywhere. Whatever an instance answers must be what all
// others answered, and nothing but Commit may change what can be seen of it.
#pragma once

#include <map>

#include "chain/abci/instance_testing.h"
#include "ledger/state/network_testing.h"
#include "light/encoding.h"
#include "light/verify.h"

namespace cloister::chain::abci {

class Driver {
 public:
  // `dir` exists. The seed decides everything.
  Driver(uint64_t seed, const std::string& dir);

  void height();  // one block, with everything that may happen around it
  // All headers, signed, as a light client verifies them.
  void check_headers() const;

  int64_t decided() const { return static_cast<int64_t>(blocks_.size()); }
  const Hash32& root() const { return root_; }
  struct Counts {
    int rounds = 0, refused = 0, crashes = 0, replayed = 0, synced = 0, draws = 0, updates = 0;
  };
  Counts counts;

 private:
  struct Block {
    RequestFinalizeBlock request;
    std::string answer;  // ResponseFinalizeBlock, as the first instance gave it
    light::LightBlock light;
    Hash32 root_after{};
  };
  struct Proposal {
    std::vector<std::string> txs;
    light::Header header;
    std::string hash;
  };

  uint64_t below(uint64_t bound) { return random_.next() % bound; }
  bool chance(uint64_t of) { return below(of) == 0; }
  DrivenInstance& any() { return instances_[below(instances_.size())]; }

  void begin(DrivenInstance& instance);
  void replay(DrivenInstance& instance);
  void recheck(DrivenInstance& instance);
  void disturb();
  void state_sync(DrivenInstance& instance);
  void expect_unchanged(DrivenInstance& instance);

  template <typename Body>
  void send(const std::string& who, const Body& body);
  void send_something();
  uint64_t next_nonce(const std::string& who);
  std::optional<Buffer> read(DrivenInstance& instance, ledger::Family family, Bytes key);

  light::ValidatorSet& set_of(int64_t height);
  light::Header header_for(const std::vector<std::string>& txs, size_t proposer);
  Proposal prepare(size_t proposer);
  void process(const Proposal& proposal, ProposalStatus want);
  void process_a_bad_one(const Proposal& good);
  void decide(const Proposal& proposal, int round);
  void vote(Block& block, const Proposal& proposal, int round);
  ExtendedCommitInfo last_votes() const;
  void finalize(DrivenInstance& instance, Block& block);

  SeededRandom random_;
  ledger::SampleNetwork sample_;
  std::vector<DrivenInstance> instances_;
  std::vector<Block> blocks_;
  std::map<int64_t, light::ValidatorSet> sets_;
  std::map<Buffer, std::string> extensions_;  // of the last block, by the validator's address
  std::vector<Buffer> waiting_;               // in every engine's mempool
  std::vector<Misbehavior> faults_;           // to be put into the next block
  Hash32 root_{};
  light::Timestamp time_;
};

}  // namespace cloister::chain::abci
