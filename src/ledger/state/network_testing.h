// A ledger with a scripted verifier, driven block by block.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "ledger/state/state.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/receipt.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {

constexpr uint8_t kOtherVendor = 128;  // platforms from here on are of format 3, the others of 1

constexpr uint8_t kWithGpu = 64;  // platforms with this bit have two GPUs

// Evidence is 64 bytes of report data and one byte that names the platform. What would come from
// the vendors is set by the test. A platform p rests on the TCB info with the id {p % 4}: the last
// digit of its number is 9: no level; 8: out of date; 7: hardening needed. Evidence of its GPUs is
// the nonce of 32 bytes and the platform's byte; nobody says anything about them later.
class ScriptedVerifier final : public AdmissionVerifier {
 public:
  std::map<uint8_t, Code> refused;  // platform -> why; evidence_revoked: its own key is
  // From this version of the policy on no evidence is good enough.
  uint64_t strict_from_version = UINT64_MAX;
  std::map<uint8_t, uint8_t> statuses;  // platform -> TCB status, 1 if absent
  mutable size_t reviews = 0;           // how often vendors' words were asked for

  std::expected<Admitted, Code> admit(const AdmissionInput& input) const override;
  // Refuses formats that are paused, and platforms and measurements that are denied.
  Code reassess(const Platform& platform, const NetworkPolicy& policy,
                uint64_t height) const override;
  // files[0]: u8 kind, u8 id, u64be number, u64be issued at, u64be next update. More files:
  // unverified.
  std::expected<CollateralRecord, Code> verify_collateral(std::span<const Buffer> files,
                                                          const Genesis& genesis,
                                                          UnixSeconds now) const override;
  bool changes_standing(const CollateralRecord& earlier,
                        const CollateralRecord& later) const override;  // another number
  StandingJudge standing_judge(CollateralLookup collateral) const override;
};

// A registration of a network with this genesis that names a block by its height and hash.
RegisterInstance registration_at(const Genesis& genesis, const std::string& op,
                                 const std::string& identity, uint8_t platform, uint64_t height,
                                 const Hash32& block_hash);

// Names are keys: key_of("alice").
class TestNetwork {
 public:
  // Sees each block and its result.
  using Watch = std::function<void(const TestNetwork&, const BlockInput&, const BlockResult&)>;

  explicit TestNetwork(const Genesis& genesis);
  // sample_network(1) with these accounts funded.
  static Genesis funded(const std::vector<std::string>& names, uint64_t balance_micro);

  // Applies one block; the beacon's shares that are wanted come first, unless withheld.
  BlockResult block(std::vector<Buffer> txs = {}, bool with_beacon = true);
  // One transaction in a block of its own.
  TxResult run(const Buffer& tx) { return block({tx}).txs.back(); }
  template <typename Body>
  Buffer tx(const std::string& who, const Body& body, uint64_t fee_micro = 0) {
    return make_tx(state.genesis().chain_id, account(who).nonce, body, key_of(who), fee_micro);
  }
  template <typename Body>
  TxResult send(const std::string& who, const Body& body, uint64_t fee_micro = 0) {
    return run(tx(who, body, fee_micro));
  }

  Account account(const std::string& who) const;
  uint64_t balance(const std::string& who) const { return account(who).balance_micro; }
  Operator op(const std::string& who) const;
  Instance instance(const InstanceId& id) const;
  Session session(const SessionId& id) const;

  Registration registration(const std::string& op, const std::string& identity,
                            uint8_t platform) const;
  RegisterInstance register_body(const std::string& op, const std::string& identity,
                                 uint8_t platform) const;
  RotateKeys rotate_body(const std::string& identity, uint64_t epoch) const;
  // The record that `identity` put on the ledger; evidence that anyone can ask it for.
  std::vector<EvidenceItem> evidence_of(const std::string& identity, uint8_t platform) const;
  static RegisterModel model_body(const std::string& owner, const std::string& name);
  RenewInstance renew_body(const std::string& identity, uint8_t platform) const;
  static OpenSession open_body(uint64_t max_units = 1'000'000, uint64_t price_cap = 300'000);
  // TCB info of the scripted vendor: one object, good for ever.
  PutCollateral tcb_info_body(uint8_t id, uint64_t number) const;
  Settle settle_body(const SessionId& session, const std::string& identity, uint64_t units) const;
  static InstanceId id_of(const std::string& identity);

  // Bonds, registers, opens: the usual road, each step asserted.
  InstanceId bring_up(const std::string& op, const std::string& identity, uint8_t platform);
  SessionId open_assigned(const std::string& user);
  SessionId open_confirmed(const std::string& user);

  std::shared_ptr<ScriptedVerifier> verifier = std::make_shared<ScriptedVerifier>();
  State state;
  Hash32 last_hash{};
  std::vector<Misbehavior> misbehavior;  // of the next block
  Watch watch;

 private:
  Hash32 hash_at(uint64_t height) const;
  std::shared_ptr<const SampleNetwork> sample_;  // the validators' secrets; copies share them
};

}  // namespace cloister::ledger
