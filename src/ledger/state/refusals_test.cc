// Every code that a transaction can be refused with, each by one change to something that is
// accepted, and that a refusal leaves no trace but its fee and its nonce.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

// A network in the middle of its life: `node` of `op` serves; alice has a session drawn, bob one
// confirmed.
struct Scene {
  TestNetwork n{genesis()};
  SessionId assigned{}, confirmed{};
  Buffer old_evidence_block;

  static Genesis genesis() {
    Genesis g = TestNetwork::funded({"op", "op2", "alice", "bob"}, kFunds);
    g.params.evidence_max_age_blocks = 5;
    g.params.min_fee_micro = 0;
    return g;
  }
  Scene() {
    n.bring_up("op", "node", 1);
    OperatorBond bond;
    bond.amount_micro = n.state.genesis().params.min_stake_micro;
    n.send("op2", bond);
    assigned = n.open_assigned("alice");
    confirmed = n.open_confirmed("bob");
    n.send("node", n.settle_body(confirmed, "node", 1000));
  }

  // A registration of op2 that would be accepted, bent by `bend` and signed afterwards.
  Buffer registering(const std::function<void(Registration&)>& bend,
                     const std::string& identity = "fresh", uint8_t platform = 2) {
    Registration r = n.registration("op2", identity, platform);
    bend(r);
    return n.tx("op2", sign_registration(r, n.state.genesis().chain_id, key_of("op2").public_key(),
                                         key_of(identity)));
  }
  Buffer opening(const std::function<void(OpenSession&)>& bend) {
    OpenSession body = TestNetwork::open_body();
    bend(body);
    return n.tx("alice", body);
  }
  ConfirmAttestation confirming() {
    ConfirmAttestation body;
    body.session = assigned;
    body.instance = TestNetwork::id_of("node");
    body.policy_version = 1;
    return body;
  }
  Buffer settling(const std::function<void(Receipt&)>& bend, const std::string& signer = "node") {
    Settle body = n.settle_body(confirmed, "node", 2000);
    Receipt receipt = SignedReceipt::decode(body.receipt)->receipt;
    bend(receipt);
    body.receipt = sign_receipt(receipt, key_of(signer)).encode();
    return n.tx("node", body);
  }
  ReportAttestation reporting(const SessionId& session) {
    ReportAttestation body;
    body.session = session;
    return body;
  }
  Buffer collateral(uint8_t id, uint64_t number, uint64_t issued, uint64_t next) {
    ByteWriter file;
    file.u8(1).u8(id).u64_be(number).u64_be(issued).u64_be(next);
    PutCollateral body;
    body.files = {file.take()};
    return n.tx("alice", body);
  }
  Buffer renewing(const std::function<void(Renewal&)>& bend, const std::string& sender = "op",
                  const std::string& signer = "node") {
    Renewal r = n.renew_body("node", 1).renewal;
    bend(r);
    return n.tx(sender, sign_renewal(r, n.state.genesis().chain_id, key_of(signer)));
  }
};

template <typename R>
void change_claims(R& r, const std::function<void(Claims&)>& bend) {
  Claims claims = *Claims::decode(r.claims);
  bend(claims);
  r.claims = claims.encode();
}

struct Case {
  const char* name;
  Code want;
  std::function<Buffer(Scene&)> make;
};

Transfer transfer_of(uint64_t amount) {
  Transfer body;
  body.to = hash_of("somebody");
  body.amount_micro = amount;
  return body;
}

std::vector<Case> envelope_cases() {
  return {
      {"too long", Code::too_large, [](Scene&) { return Buffer(kMaxTxBytes + 1); }},
      {"no bytes", Code::malformed, [](Scene&) { return Buffer(); }},
      {"unknown kind", Code::malformed,
       [](Scene& s) {
         Tx tx;
         tx.chain_id = s.n.state.genesis().chain_id;
         tx.account = key_of("alice").public_key();
         tx.kind = static_cast<TxKind>(99);
         return sign(tx, key_of("alice")).encode();
       }},
      {"body of another kind", Code::malformed_body,
       [](Scene& s) {
         Tx tx;
         tx.chain_id = s.n.state.genesis().chain_id;
         tx.account = key_of("alice").public_key();
         tx.nonce = s.n.account("alice").nonce;
         tx.kind = TxKind::settle;
         tx.body = transfer_of(1).encode();
         return sign(tx, key_of("alice")).encode();
       }},
      {"other chain", Code::wrong_chain,
       [](Scene& s) {
         return make_tx("other", s.n.account("alice").nonce, transfer_of(1), key_of("alice"));
       }},
      {"signature", Code::bad_signature,
       [](Scene& s) {
         Buffer tx = s.n.tx("alice", transfer_of(1));
         tx.back() ^= 1;
         return tx;
       }},
      {"nonce used", Code::wrong_nonce,
       [](Scene& s) {
         return make_tx(s.n.state.genesis().chain_id, s.n.account("alice").nonce - 1,
                        transfer_of(1), key_of("alice"));
       }},
      {"nonce ahead", Code::wrong_nonce,
       [](Scene& s) {
         return make_tx(s.n.state.genesis().chain_id, s.n.account("alice").nonce + 1,
                        transfer_of(1), key_of("alice"));
       }},
      {"fee not held", Code::insufficient_balance,
       [](Scene& s) { return s.n.tx("nobody", transfer_of(1), 1); }},
      {"amount not held", Code::insufficient_balance,
       [](Scene& s) { return s.n.tx("alice", transfer_of(kFunds)); }},
      {"amount zero", Code::amount_zero, [](Scene& s) { return s.n.tx("alice", transfer_of(0)); }},
      {"bond zero", Code::amount_zero, [](Scene& s) { return s.n.tx("alice", OperatorBond()); }},
      {"bond not held", Code::insufficient_balance,
       [](Scene& s) {
         OperatorBond body;
         body.amount_micro = kFunds;
         return s.n.tx("alice", body);
       }},
      {"no collateral", Code::collateral_malformed,
       [](Scene& s) { return s.n.tx("alice", PutCollateral()); }},
      {"collateral malformed", Code::collateral_malformed,
       [](Scene& s) {
         PutCollateral body;
         body.files = {{1}};
         return s.n.tx("alice", body);
       }},
      {"collateral unsigned", Code::collateral_unverified,
       [](Scene& s) {
         PutCollateral body;
         body.files = {{1}, {2}};
         return s.n.tx("alice", body);
       }},
      {"collateral expired", Code::collateral_not_current,
       [](Scene& s) { return s.collateral(1, 1, 1, 2); }},
      {"collateral of a lower number", Code::collateral_rollback,
       [](Scene& s) {
         EXPECT_EQ(s.n.run(s.collateral(1, 5, 10, UINT64_MAX)).code, Code::ok);
         return s.collateral(1, 4, 10, UINT64_MAX);
       }},
      {"collateral of an earlier issue", Code::collateral_rollback,
       [](Scene& s) {
         EXPECT_EQ(s.n.run(s.collateral(1, 5, 10, UINT64_MAX)).code, Code::ok);
         return s.collateral(1, 5, 9, UINT64_MAX);
       }},
  };
}

std::vector<Case> registration_cases() {
  using R = Registration;
  return {
      {"no stake", Code::stake_too_low,
       [](Scene& s) { return s.n.tx("alice", s.n.register_body("alice", "fresh", 2)); }},
      {"co-signed for another operator", Code::identity_signature,
       [](Scene& s) { return s.n.tx("op2", s.n.register_body("op", "fresh", 2)); }},
      {"claims", Code::claims_malformed,
       [](Scene& s) { return s.registering([](R& r) { r.claims = {1}; }); }},
      {"claims of another instance", Code::claims_mismatch,
       [](Scene& s) {
         return s.registering(
             [](R& r) { change_claims(r, [](Claims& c) { c.instance_id = hash_of("x"); }); });
       }},
      {"claims of a client", Code::claims_mismatch,
       [](Scene& s) {
         return s.registering(
             [](R& r) { change_claims(r, [](Claims& c) { c.role = Claims::kClient; }); });
       }},
      {"claims of a GPU that nobody verified", Code::claims_mismatch,
       [](Scene& s) {
         return s.registering([](R& r) {
           change_claims(r, [](Claims& c) { c.gpu_evidence_sha256 = hash_of("gpu"); });
         });
       }},
      {"no offers", Code::models_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.offers.clear(); }); }},
      {"offer twice", Code::models_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.offers.push_back(r.offers[0]); }); }},
      {"offer of what is not loaded", Code::models_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.offers[0].model_root = hash_of("x"); }); }},
      {"offer of an unknown model", Code::model_unknown,
       [](Scene& s) {
         return s.registering([](R& r) {
           change_claims(r, [](Claims& c) { c.models = {hash_of("x")}; });
           r.offers[0].model_root = hash_of("x");
         });
       }},
      {"no capacity", Code::capacity_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.capacity = 0; }); }},
      {"capacity", Code::capacity_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.capacity = kMaxCapacity + 1; }); }},
      {"endpoint without port", Code::endpoint_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.endpoint = "host"; }); }},
      {"endpoint with port 0", Code::endpoint_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.endpoint = "host:0"; }); }},
      {"endpoint with a path", Code::endpoint_invalid,
       [](Scene& s) { return s.registering([](R& r) { r.endpoint = "host/x:80"; }); }},
      {"no evidence", Code::evidence_absent,
       [](Scene& s) { return s.registering([](R& r) { r.evidence.clear(); }); }},
      {"evidence too large in all", Code::evidence_too_large,
       [](Scene& s) {
         return s.registering([](R& r) {
           r.evidence.push_back(r.evidence[0]);
           r.evidence[1].bytes.assign(kMaxEvidenceItemBytes, 0);
         });
       }},
      {"block of another hash", Code::block_unknown,
       [](Scene& s) { return s.registering([](R& r) { r.block_hash[0] ^= 1; }); }},
      {"block of the future", Code::block_unknown,
       [](Scene& s) { return s.registering([](R& r) { r.block_height += 1; }); }},
      {"old block", Code::block_too_old,
       [](Scene& s) {
         return s.registering([&](R& r) {
           r.block_height = s.n.state.height() - 5;
           r.block_hash = hash_of("block " + std::to_string(r.block_height));
         });
       }},
      {"evidence bound to something else", Code::evidence_report_data_mismatch,
       [](Scene& s) {
         return s.registering([](R& r) {
           change_claims(r, [](Claims& c) { c.spki_sha256 = hash_of("another leaf"); });
         });
       }},
      {"another operator's machine", Code::platform_in_use,
       [](Scene& s) { return s.registering([](R&) {}, "fresh", 1); }},
      {"identity is live", Code::instance_exists,
       [](Scene& s) { return s.n.tx("op", s.n.register_body("op", "node", 1)); }},
      {"renewal of nobody", Code::instance_unknown,
       [](Scene& s) { return s.renewing([](Renewal& r) { r.instance = hash_of("x"); }); }},
      {"renewal by another", Code::not_of_instance,
       [](Scene& s) { return s.renewing([](Renewal&) {}, "op2"); }},
      {"renewal not signed by the instance", Code::identity_signature,
       [](Scene& s) { return s.renewing([](Renewal&) {}, "op", "op"); }},
      {"renewal with other TLS key", Code::claims_mismatch,
       [](Scene& s) {
         return s.renewing(
             [](Renewal& r) { change_claims(r, [](Claims& c) { c.spki_sha256 = hash_of("x"); }); });
       }},
      {"renewal without claims", Code::claims_malformed,
       [](Scene& s) { return s.renewing([](Renewal& r) { r.claims.clear(); }); }},
      {"renewal without evidence", Code::evidence_absent,
       [](Scene& s) { return s.renewing([](Renewal& r) { r.evidence.clear(); }); }},
      {"renewal of an unknown block", Code::block_unknown,
       [](Scene& s) { return s.renewing([](Renewal& r) { r.block_hash[0] ^= 1; }); }},
      {"renewal after the end", Code::instance_not_live,
       [](Scene& s) {
         // The operator's new identity on the same machine takes the place of the old one.
         EXPECT_EQ(s.n.send("op", s.n.register_body("op", "next", 1)).code, Code::ok);
         return s.renewing([](Renewal&) {});
       }},
  };
}

OperatorUnbond unbond_of(uint64_t amount) {
  OperatorUnbond body;
  body.amount_micro = amount;
  return body;
}

std::vector<Case> operator_cases() {
  return {
      {"unbond nothing", Code::amount_zero, [](Scene& s) { return s.n.tx("op2", unbond_of(0)); }},
      {"unbond without a stake", Code::not_operator,
       [](Scene& s) { return s.n.tx("alice", unbond_of(1)); }},
      {"unbond more than the stake", Code::stake_insufficient,
       [](Scene& s) { return s.n.tx("op2", unbond_of(1'000'001)); }},
      {"unbond what live instances need", Code::stake_in_use,
       [](Scene& s) { return s.n.tx("op", unbond_of(1)); }},
      {"unbond in too many parts", Code::unbonding_full,
       [](Scene& s) {
         for (size_t i = 0; i < kMaxUnbonding; ++i) {
           EXPECT_EQ(s.n.send("op2", unbond_of(1)).code, Code::ok);
         }
         return s.n.tx("op2", unbond_of(1));
       }},
      {"withdraw without a stake", Code::not_operator,
       [](Scene& s) { return s.n.tx("alice", OperatorWithdraw()); }},
      {"withdraw too early", Code::nothing_to_withdraw,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("op2", unbond_of(1)).code, Code::ok);
         return s.n.tx("op2", OperatorWithdraw());
       }},
  };
}

template <typename Body>
Body of(const InstanceId& instance) {
  Body body;
  body.instance = instance;
  return body;
}

RevokeInstance two_receipts(Scene& s, const std::function<void(Receipt&)>& bend,
                            const std::string& signer = "node") {
  RevokeInstance body = of<RevokeInstance>(TestNetwork::id_of("node"));
  for (uint64_t units : {uint64_t{7}, uint64_t{8}}) {
    Receipt receipt =
        SignedReceipt::decode(s.n.settle_body(s.confirmed, "node", units).receipt)->receipt;
    if (units == 8) bend(receipt);
    body.receipts.push_back(sign_receipt(receipt, key_of(signer)).encode());
  }
  return body;
}

std::vector<Case> lifecycle_cases() {
  using K = KeyRotation;
  const auto rotating = [](Scene& s, const std::function<void(K&)>& bend,
                           const std::string& signer = "node") {
    K rotation = s.n.rotate_body("node", 5).rotation;
    bend(rotation);
    return s.n.tx("op", sign_rotation(rotation, s.n.state.genesis().chain_id, key_of(signer)));
  };
  const InstanceId node = TestNetwork::id_of("node");
  return {
      {"keys of nobody", Code::instance_unknown,
       [=](Scene& s) { return rotating(s, [](K& k) { k.instance = hash_of("x"); }); }},
      {"keys by another", Code::not_of_instance,
       [](Scene& s) { return s.n.tx("op2", s.n.rotate_body("node", 5)); }},
      {"keys not signed by the instance", Code::identity_signature,
       [=](Scene& s) { return rotating(s, [](K&) {}, "op"); }},
      {"keys of the same epoch", Code::key_epoch_invalid,
       [=](Scene& s) {
         EXPECT_EQ(s.n.send("node", s.n.rotate_body("node", 5)).code, Code::ok);
         return rotating(s, [](K&) {});
       }},
      {"keys of epoch zero", Code::key_epoch_invalid,
       [=](Scene& s) { return rotating(s, [](K& k) { k.keys.epoch = 0; }); }},
      {"keys for no time", Code::key_validity_invalid,
       [=](Scene& s) {
         return rotating(s, [](K& k) { k.keys.valid_until_ms = k.keys.valid_from_ms; });
       }},
      {"keys for too long", Code::key_validity_invalid,
       [=](Scene& s) { return rotating(s, [](K& k) { k.keys.valid_until_ms += 1; }); }},
      {"keys that are over", Code::key_validity_invalid,
       [=](Scene& s) {
         return rotating(s, [](K& k) {
           k.keys.valid_until_ms = k.keys.valid_from_ms;
           k.keys.valid_from_ms -= 1000;
         });
       }},
      {"drain by another", Code::not_of_instance,
       [=](Scene& s) { return s.n.tx("op2", of<DrainInstance>(node)); }},
      {"drain twice", Code::instance_draining,
       [=](Scene& s) {
         EXPECT_EQ(s.n.send("node", of<DrainInstance>(node)).code, Code::ok);
         return s.n.tx("op", of<DrainInstance>(node));
       }},
      {"retire nobody", Code::instance_unknown,
       [](Scene& s) { return s.n.tx("op", of<RetireInstance>(hash_of("x"))); }},
      {"retire another's", Code::not_of_instance,
       [=](Scene& s) { return s.n.tx("op2", of<RetireInstance>(node)); }},
      {"retire twice", Code::instance_not_live,
       [=](Scene& s) {
         EXPECT_EQ(s.n.send("op", of<RetireInstance>(node)).code, Code::ok);
         return s.n.tx("op", of<RetireInstance>(node));
       }},
      {"revoke nobody", Code::instance_unknown,
       [](Scene& s) { return s.n.tx("bob", of<RevokeInstance>(hash_of("x"))); }},
      {"revoke without a proof", Code::proof_invalid,
       [=](Scene& s) { return s.n.tx("bob", of<RevokeInstance>(node)); }},
      {"revoke with two kinds of proof", Code::proof_invalid,
       [](Scene& s) {
         RevokeInstance body = two_receipts(s, [](Receipt&) {});
         body.evidence = s.n.evidence_of("node", 1);
         return s.n.tx("bob", body);
       }},
      {"revoke with evidence of something else", Code::not_the_registration_evidence,
       [=](Scene& s) {
         RevokeInstance body = of<RevokeInstance>(node);
         body.evidence = s.n.evidence_of("node", 2);
         return s.n.tx("bob", body);
       }},
      {"revoke with evidence that the ledger cannot judge", Code::collateral_cannot_judge,
       [=](Scene& s) {
         s.n.verifier->refused[1] = Code::evidence_collateral_missing;
         RevokeInstance body = of<RevokeInstance>(node);
         body.evidence = s.n.evidence_of("node", 1);
         return s.n.tx("bob", body);
       }},
      {"one receipt", Code::proof_invalid,
       [](Scene& s) {
         RevokeInstance body = two_receipts(s, [](Receipt&) {});
         body.receipts.pop_back();
         return s.n.tx("bob", body);
       }},
      {"the same receipt twice", Code::receipts_agree,
       [](Scene& s) {
         return s.n.tx("bob", two_receipts(s, [](Receipt& r) { r.cumulative_units = 7; }));
       }},
      {"receipts of two answers", Code::proof_invalid,
       [](Scene& s) {
         return s.n.tx("bob", two_receipts(s, [](Receipt& r) { r.sequence += 1; }));
       }},
      {"receipts of two sessions", Code::proof_invalid,
       [](Scene& s) {
         return s.n.tx("bob", two_receipts(s, [&](Receipt& r) { r.session = s.assigned; }));
       }},
      {"receipts of two chains", Code::proof_invalid,
       [](Scene& s) {
         return s.n.tx("bob", two_receipts(s, [](Receipt& r) { r.chain_id = "other"; }));
       }},
      {"receipts of another key", Code::proof_invalid,
       [](Scene& s) { return s.n.tx("bob", two_receipts(s, [](Receipt&) {}, "op")); }},
  };
}

std::vector<Case> model_cases() {
  const auto registering = [](Scene& s, const std::function<void(Model&)>& bend) {
    RegisterModel body = TestNetwork::model_body("alice", "second");
    bend(body.model);
    return s.n.tx("alice", body);
  };
  const auto updating = [](Scene& s, const std::function<void(UpdateModel&)>& bend,
                           const std::string& sender = "alice") {
    EXPECT_EQ(s.n.send("alice", TestNetwork::model_body("alice", "second")).code, Code::ok);
    UpdateModel body;
    body.root = hash_of("second");
    body.owner = key_of("alice").public_key();
    bend(body);
    return s.n.tx(sender, body);
  };
  return {
      {"for another owner", Code::not_model_owner,
       [=](Scene& s) {
         return registering(s, [](Model& m) { m.owner = key_of("bob").public_key(); });
       }},
      {"without an owner", Code::not_model_owner,
       [=](Scene& s) { return registering(s, [](Model& m) { m.owner.reset(); }); }},
      {"without a name", Code::model_invalid,
       [=](Scene& s) { return registering(s, [](Model& m) { m.name.clear(); }); }},
      {"share above what the network leaves", Code::model_invalid,
       [=](Scene& s) { return registering(s, [](Model& m) { m.owner_permille = 951; }); }},
      {"key policy of open weights", Code::model_invalid,
       [=](Scene& s) {
         return registering(s, [](Model& m) { m.key_policy_sha256 = hash_of("policy"); });
       }},
      {"sealed without a key policy", Code::model_invalid,
       [=](Scene& s) { return registering(s, [](Model& m) { m.access = ModelAccess::sealed; }); }},
      {"deprecated at birth", Code::model_invalid,
       [=](Scene& s) { return registering(s, [](Model& m) { m.deprecated = true; }); }},
      {"same weights", Code::model_exists,
       [=](Scene& s) { return registering(s, [](Model& m) { m.root = hash_of("model"); }); }},
      {"same name", Code::model_name_taken,
       [=](Scene& s) { return registering(s, [](Model& m) { m.name = "model"; }); }},
      {"fee not held", Code::insufficient_balance,
       [](Scene& s) { return s.n.tx("poor", TestNetwork::model_body("poor", "second")); }},
      {"update of nothing", Code::model_unknown,
       [=](Scene& s) { return updating(s, [](UpdateModel& u) { u.root = hash_of("x"); }); }},
      {"update by another", Code::not_model_owner,
       [=](Scene& s) { return updating(s, [](UpdateModel&) {}, "bob"); }},
      {"update to an excessive share", Code::model_invalid,
       [=](Scene& s) { return updating(s, [](UpdateModel& u) { u.owner_permille = 951; }); }},
      {"deprecation of nothing", Code::model_unknown,
       [](Scene& s) { return s.n.tx("alice", DeprecateModel()); }},
      {"deprecation of what nobody owns", Code::not_model_owner,
       [](Scene& s) {
         DeprecateModel body;
         body.root = hash_of("model");
         return s.n.tx("alice", body);
       }},
      {"session on a deprecated model", Code::model_deprecated,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", TestNetwork::model_body("alice", "second")).code, Code::ok);
         DeprecateModel body;
         body.root = hash_of("second");
         EXPECT_EQ(s.n.send("alice", body).code, Code::ok);
         return s.opening([](OpenSession& o) { o.model_root = hash_of("second"); });
       }},
      {"deprecated twice", Code::model_deprecated,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", TestNetwork::model_body("alice", "second")).code, Code::ok);
         DeprecateModel body;
         body.root = hash_of("second");
         EXPECT_EQ(s.n.send("alice", body).code, Code::ok);
         return s.n.tx("alice", body);
       }},
  };
}

std::vector<Case> session_cases() {
  using O = OpenSession;
  return {
      {"unknown model", Code::model_unknown,
       [](Scene& s) { return s.opening([](O& o) { o.model_root = hash_of("x"); }); }},
      {"requirement", Code::requirement_invalid,
       [](Scene& s) { return s.opening([](O& o) { o.requirement.formats = {2, 1}; }); }},
      {"a pair of nobody", Code::requirement_invalid,
       [](Scene& s) { return s.opening([](O& o) { o.requirement.diversity = 0; }); }},
      {"a pair of three", Code::requirement_invalid,
       [](Scene& s) { return s.opening([](O& o) { o.requirement.diversity = 3; }); }},
      {"a job of two", Code::requirement_invalid,
       [](Scene& s) {
         SubmitJob body;
         body.session = TestNetwork::open_body();
         body.session.requirement.diversity = 2;
         return s.n.tx("alice", body);
       }},
      {"no lifetime", Code::lifetime_invalid,
       [](Scene& s) { return s.opening([](O& o) { o.lifetime_blocks = 0; }); }},
      {"lifetime", Code::lifetime_invalid,
       [](Scene& s) {
         return s.opening([&](O& o) {
           o.lifetime_blocks = s.n.state.genesis().params.max_session_lifetime_blocks + 1;
         });
       }},
      {"no units", Code::units_invalid,
       [](Scene& s) { return s.opening([](O& o) { o.max_units = 0; }); }},
      {"cost past 64 bits", Code::units_invalid,
       [](Scene& s) {
         return s.opening([](O& o) { o.max_units = o.price_cap_micro = UINT64_MAX; });
       }},
      {"deposit short by one", Code::deposit_too_small,
       [](Scene& s) { return s.opening([](O& o) { o.deposit_micro -= 1; }); }},
      {"deposit not held", Code::insufficient_balance,
       [](Scene& s) { return s.opening([](O& o) { o.deposit_micro = kFunds; }); }},
      {"confirm nothing", Code::session_unknown,
       [](Scene& s) {
         ConfirmAttestation body = s.confirming();
         body.session = hash_of("x");
         return s.n.tx("alice", body);
       }},
      {"confirm another's", Code::not_session_user,
       [](Scene& s) { return s.n.tx("bob", s.confirming()); }},
      {"confirm twice", Code::wrong_session_state,
       [](Scene& s) {
         ConfirmAttestation body = s.confirming();
         body.session = s.confirmed;
         return s.n.tx("bob", body);
       }},
      {"confirm another instance", Code::wrong_instance,
       [](Scene& s) {
         ConfirmAttestation body = s.confirming();
         body.instance = hash_of("x");
         return s.n.tx("alice", body);
       }},
      {"confirm under another policy", Code::policy_version_unknown,
       [](Scene& s) {
         ConfirmAttestation body = s.confirming();
         body.policy_version = 2;
         return s.n.tx("alice", body);
       }},
      {"close before confirming", Code::wrong_session_state,
       [](Scene& s) {
         CloseSession body;
         body.session = s.assigned;
         return s.n.tx("alice", body);
       }},
      {"close another's", Code::not_session_user,
       [](Scene& s) {
         CloseSession body;
         body.session = s.confirmed;
         return s.n.tx("alice", body);
       }},
      {"close nothing", Code::session_unknown,
       [](Scene& s) { return s.n.tx("alice", CloseSession()); }},
      {"report nothing", Code::session_unknown,
       [](Scene& s) { return s.n.tx("alice", s.reporting(hash_of("x"))); }},
      {"report another's", Code::not_session_user,
       [](Scene& s) { return s.n.tx("bob", s.reporting(s.assigned)); }},
      {"report without evidence after confirming", Code::wrong_session_state,
       [](Scene& s) { return s.n.tx("bob", s.reporting(s.confirmed)); }},
      {"report with evidence of something else", Code::not_the_registration_evidence,
       [](Scene& s) {
         ReportAttestation body = s.reporting(s.assigned);
         body.evidence.resize(1);
         return s.n.tx("alice", body);
       }},
      {"settle nothing", Code::session_unknown,
       [](Scene& s) { return s.n.tx("node", s.n.settle_body(hash_of("x"), "node", 5)); }},
      {"settle before confirming", Code::wrong_session_state,
       [](Scene& s) { return s.n.tx("node", s.n.settle_body(s.assigned, "node", 5)); }},
      {"settle by another", Code::not_of_instance,
       [](Scene& s) { return s.n.tx("op2", s.n.settle_body(s.confirmed, "node", 5)); }},
      {"receipt malformed", Code::receipt_malformed,
       [](Scene& s) {
         Settle body = s.n.settle_body(s.confirmed, "node", 5);
         body.receipt.push_back(0);
         return s.n.tx("node", body);
       }},
      {"receipt of another key", Code::receipt_signature,
       [](Scene& s) { return s.settling([](Receipt&) {}, "op"); }},
      {"receipt of another session", Code::receipt_mismatch,
       [](Scene& s) { return s.settling([&](Receipt& r) { r.session = s.assigned; }); }},
      {"receipt of another chain", Code::receipt_mismatch,
       [](Scene& s) { return s.settling([](Receipt& r) { r.chain_id = "other"; }); }},
      {"receipt of another model", Code::receipt_mismatch,
       [](Scene& s) { return s.settling([](Receipt& r) { r.model_root = hash_of("x"); }); }},
      {"receipt of another version", Code::receipt_mismatch,
       [](Scene& s) { return s.settling([](Receipt& r) { r.version = 2; }); }},
      {"receipt settled before", Code::receipt_not_rising,
       [](Scene& s) { return s.settling([](Receipt& r) { r.cumulative_units = 1000; }); }},
      {"receipt over the limit", Code::receipt_over_limit,
       [](Scene& s) { return s.settling([](Receipt& r) { r.cumulative_units = 1'000'001; }); }},
  };
}

using Rows = std::map<std::pair<Family, Buffer>, Buffer>;

Rows rows_of(const TestNetwork& n) {
  Rows out;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    n.state.store().for_each(family, {}, [&](Bytes key, Bytes value) {
      out[{family, to_buffer(key)}] = to_buffer(value);
      return true;
    });
  }
  return out;
}

// The rows after the sender's next nonce was used up and nothing else was done.
void use_nonce(Rows& rows, const AccountId& sender) {
  Buffer& row = rows[{Family::accounts, to_buffer(sender)}];
  Account account = Account::decode(row).value_or(Account());
  account.nonce += 1;
  row = account.encode();
}

void expect_refused(const Case& c) {
  SCOPED_TRACE(c.name);
  Scene scene;
  const Buffer tx = c.make(scene);
  TestNetwork without = scene.n;
  without.block();
  Rows want = rows_of(without);
  const auto opened = open_tx(tx, scene.n.state.genesis().chain_id);
  if (opened && without.state.check(tx).code == Code::ok &&
      opened->nonce == without.state.check(tx).next_nonce) {
    use_nonce(want, opened->account);
  }
  const BlockResult got = scene.n.block({tx});
  EXPECT_EQ(name(got.txs.back().code), name(c.want));
  EXPECT_FALSE(got.txs.back().log.empty());
  EXPECT_TRUE(got.txs.back().events.empty());
  EXPECT_EQ(rows_of(scene.n), want) << "the refusal left another trace than its nonce";
}

// Otherwise anybody could send it again, when it would be accepted.
TEST(Refusals, WhatWasRefusedIsPaidForAndUsedUp) {
  Genesis genesis = TestNetwork::funded({"alice", "bob"}, 100);
  genesis.params.min_fee_micro = 3;
  TestNetwork n(genesis);
  const Buffer dear = n.tx("alice", transfer_of(98), 3);
  EXPECT_EQ(n.run(dear).code, Code::insufficient_balance);
  EXPECT_EQ(n.balance("alice"), 97u);
  EXPECT_EQ(n.account("alice").nonce, 1u);
  Transfer gift;
  gift.to = key_of("alice").public_key();
  gift.amount_micro = 50;
  EXPECT_EQ(n.send("bob", gift, 3).code, Code::ok);
  EXPECT_EQ(n.run(dear).code, Code::wrong_nonce);
  EXPECT_EQ(n.balance("alice"), 147u);
  const Buffer twice = n.tx("alice", transfer_of(500), 3);
  const BlockResult block = n.block({twice, twice});
  EXPECT_EQ(block.txs[0].code, Code::insufficient_balance);
  EXPECT_EQ(block.txs[1].code, Code::wrong_nonce);
  EXPECT_EQ(n.balance("alice"), 144u);
}

TEST(Refusals, Envelope) {
  for (const Case& c : envelope_cases()) expect_refused(c);
}
TEST(Refusals, Registration) {
  for (const Case& c : registration_cases()) expect_refused(c);
}
TEST(Refusals, Operators) {
  for (const Case& c : operator_cases()) expect_refused(c);
}
TEST(Refusals, EndsOfInstances) {
  for (const Case& c : lifecycle_cases()) expect_refused(c);
}
TEST(Refusals, Models) {
  for (const Case& c : model_cases()) expect_refused(c);
}
TEST(Refusals, Sessions) {
  for (const Case& c : session_cases()) expect_refused(c);
}

TEST(Refusals, TheNearestAcceptedInputs) {
  Scene s;
  EXPECT_EQ(s.n.run(s.registering([](Registration&) {})).code, Code::ok);
  EXPECT_EQ(s.n.run(s.opening([](OpenSession&) {})).code, Code::ok);
  EXPECT_EQ(s.n.run(s.settling([](Receipt&) {})).code, Code::ok);
  EXPECT_EQ(s.n.run(s.renewing([](Renewal&) {})).code, Code::ok);
  EXPECT_EQ(s.n.send("alice", s.confirming()).code, Code::ok);
  EXPECT_EQ(s.n.run(s.collateral(1, 5, 10, UINT64_MAX)).code, Code::ok);
  EXPECT_EQ(s.n.run(s.collateral(1, 5, 10, UINT64_MAX)).code, Code::ok);
  EXPECT_EQ(s.n.run(s.collateral(2, 1, 1, UINT64_MAX)).code, Code::ok);
}

TEST(Refusals, TheVerifiersReasonIsTheCode) {
  for (uint32_t number = 100; number < 140; ++number) {
    const auto code = code_from(number);
    if (!code) continue;
    Scene s;
    s.n.verifier->refused[2] = *code;
    EXPECT_EQ(s.n.run(s.registering([](Registration&) {})).code, *code);
  }
}

TEST(Refusals, FeeBelowTheMinimum) {
  Genesis genesis = TestNetwork::funded({"alice"}, 100);
  genesis.params.min_fee_micro = 3;
  TestNetwork n(genesis);
  EXPECT_EQ(n.send("alice", transfer_of(1), 2).code, Code::fee_too_low);
  EXPECT_EQ(n.state.check(n.tx("alice", transfer_of(1), 2)).code, Code::fee_too_low);
  EXPECT_EQ(n.send("alice", transfer_of(1), 3).code, Code::ok);
  EXPECT_EQ(n.balance("alice"), 96u);
}

// Atoma: being sampled cost more, so a node gave up when it was and tried again.
TEST(Refusals, EveryKindCostsTheSame) {
  Genesis genesis = TestNetwork::funded({"alice"}, 100);
  genesis.params.min_fee_micro = 3;
  const TestNetwork n(genesis);
  for (int number = 1; number < 100; ++number) {
    Tx tx;
    tx.kind = static_cast<TxKind>(number);
    if (name(tx.kind).empty()) continue;
    tx.chain_id = genesis.chain_id;
    tx.account = key_of("alice").public_key();
    for (uint64_t fee : {0u, 2u, 3u}) {
      tx.fee_micro = fee;
      const Code want = fee == 3 ? Code::ok : Code::fee_too_low;
      EXPECT_EQ(name(n.state.check(sign(tx, key_of("alice")).encode()).code), name(want))
          << name(tx.kind) << " " << fee;
    }
  }
}

TEST(Refusals, ArbitraryBytesAreAnswered) {
  Scene s;
  const Buffer good = s.opening([](OpenSession&) {});
  SeededRandom random(7);
  std::vector<Buffer> txs;
  for (int i = 0; i < 2000; ++i) {
    Buffer tx = good;
    for (uint64_t flips = 1 + random.next() % 3; flips > 0; --flips) {
      tx[random.next() % tx.size()] ^= static_cast<uint8_t>(1 + random.next() % 255);
    }
    if (random.next() % 4 == 0) tx.resize(random.next() % tx.size());
    txs.push_back(std::move(tx));
  }
  for (const TxResult& result : s.n.block(txs).txs) EXPECT_NE(result.code, Code::ok);
}

}  // namespace
}  // namespace cloister::ledger
