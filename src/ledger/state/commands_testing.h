// Random life on a ledger, from a seed: everybody does everything, mostly something that makes
// sense where it stands, sometimes not. The same seed is the same life in every build.
#pragma once

#include "ledger/state/network_testing.h"
#include "merkle/sum_tree.h"

namespace cloister::ledger {

class RandomLife {
 public:
  explicit RandomLife(uint64_t seed, TestNetwork::Watch watch = {});

  static Genesis genesis();
  static constexpr uint64_t kFunds = 20'000'000;
  static const std::vector<std::string>& people();  // whoever has kFunds

  void step();  // one block
  // Nobody does anything any more until every deadline has passed, beacons come.
  void let_everything_end();

  // All records of a family whose keys have this size.
  template <typename T>
  std::vector<T> all(Family family, size_t key_size = 32) const {
    std::vector<T> out;
    net.state.store().for_each(family, {}, [&](Bytes key, Bytes value) {
      if (key.size() == key_size) out.push_back(*T::decode(value));
      return true;
    });
    return out;
  }

  TestNetwork net;
  std::map<TxKind, size_t> accepted;  // how often each kind was
  std::map<Code, size_t> refused;

 private:
  struct Sent {
    std::string who;
    Buffer tx;
    TxKind kind{};
  };
  template <typename Body>
  void send(const std::string& who, const Body& body);

  uint64_t below(uint64_t bound) { return random_.next() % bound; }
  bool chance(uint64_t of) { return below(of) == 0; }
  template <typename T>
  const T& any(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  std::string name_of(const InstanceId& id) const;
  uint64_t policy_version() const;
  uint64_t epoch() const {  // of the block in the making
    return (net.state.height() + 1) / net.state.genesis().params.epoch_blocks;
  }

  void act();
  void about_money();
  void about_validators();
  void about_instances();
  void about_models();
  void about_vendors();
  void about_sessions();
  void about_jobs();
  void about_checks();
  void about_policy();
  void move(const Check& check);
  void commit_receipts(const Instance& instance);

  SeededRandom random_;
  std::vector<Sent> block_;  // one of each sender
  std::map<uint8_t, uint64_t> tcb_numbers_;
  // What instances have signed in each epoch and not committed yet.
  std::map<std::pair<InstanceId, uint64_t>, std::vector<Buffer>> receipts_;
  std::map<BatchId, std::vector<Buffer>> committed_;
};

}  // namespace cloister::ledger
