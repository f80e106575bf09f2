// A ledger with the true verifier over simulated vendors, driven block by block.
#pragma once

#include <functional>

#include "evidence/sim/amd.h"
#include "evidence/sim/intel.h"
#include "ledger/state/state.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"

namespace cloister::ledger {

constexpr UnixSeconds kStart = 1'700'000'000;
constexpr uint8_t kImage = 7;  // every byte of the released measurement

// One hierarchy of each vendor a program: RSA keys take seconds to make.
const evidence::sim::IntelSimulator& intel();
const evidence::sim::AmdSimulator& amd();

// As a node groups its machine's files: each inner list is one put_collateral.
using FileGroups = std::vector<std::vector<Buffer>>;
FileGroups intel_collateral(UnixSeconds now);
// The PCK CA's list of a later number, which names these machines.
std::vector<Buffer> revocation_of(const std::vector<uint32_t>& machines, UnixSeconds now);
FileGroups amd_collateral(uint32_t chip, UnixSeconds now);

// A registration in the making; good as it stands. Evidence is issued when it is built.
struct Candidate {
  std::string op = "operator";
  std::string identity = "identity";
  bool tdx = true;
  bool snp = false;
  uint32_t machine = 0;
  uint8_t image = kImage;
  bool debug = false;
  std::string bound_to{};    // evidence for this identity instead
  bool other_block = false;  // evidence bound to another block hash
  // The collection of GPUs that answer this nonce; none without it.
  std::function<Buffer(const Hash32& nonce)> gpus{};
  bool gpus_claimed = true;  // in the claims
  size_t gpus_at = 9;        // among the evidence; beyond its end: last
};

// Of a network with this genesis, naming a block.
RegisterInstance registration_for(const Genesis& genesis, const Candidate& candidate,
                                  uint64_t height, const Hash32& block_hash);

class TestLedger {
 public:
  // Both simulated vendors are anchors; operators "operator" and "rival" are funded.
  static Genesis genesis();
  explicit TestLedger(const Genesis& genesis = TestLedger::genesis());

  BlockResult block(const std::vector<Buffer>& txs = {});
  template <typename Body>
  Buffer tx(const std::string& who, const Body& body) const {
    return make_tx(state.genesis().chain_id, nonce_of(who), body, key(who));
  }
  template <typename Body>
  Code send(const std::string& who, const Body& body) {
    return block({tx(who, body)}).txs.back().code;
  }
  void skip(UnixSeconds seconds) { now_ += seconds; }
  UnixSeconds now() const { return now_; }

  void bond(const std::string& op);
  Code put(const std::vector<Buffer>& files);
  void put_all(const FileGroups& groups);  // each must be accepted

  RegisterInstance registration(const Candidate& candidate) const;
  Code enter(const Candidate& candidate);  // builds and sends it
  std::optional<Instance> instance(const std::string& identity) const;

  State state;

 private:
  static const crypto::Ed25519Key& key(const std::string& who);
  uint64_t nonce_of(const std::string& who) const;
  UnixSeconds now_ = kStart;
  Hash32 last_hash_{};
};

}  // namespace cloister::ledger
