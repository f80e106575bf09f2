#include <gtest/gtest.h>

#include <set>

#include "crypto/hash.h"
#include "ledger/types/account.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/collateral.h"
#include "ledger/types/draw.h"
#include "ledger/types/receipt.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

// One encoding, in both forms: nothing cut, added or unknown is accepted.
template <typename T>
void expect_strict(const T& value) {
  const Buffer good = value.encode();
  ASSERT_EQ(T::decode(good), value);
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(T::decode(Bytes(good).first(size))) << size;
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_FALSE(T::decode(longer));

  JsonValue json = value.to_json();
  const auto parsed = parse_json(json.dump());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(T::from_json(*parsed), value);
  json.set("unknown", 1);
  EXPECT_FALSE(T::from_json(json));
  EXPECT_EQ(T::from_json(JsonValue::Object{}).has_value(), value.to_json().members()->empty());
  EXPECT_FALSE(T::from_json(JsonValue()));
}

TEST(Records, EachHasOneEncoding) {
  expect_strict(sample_instance());
  expect_strict(sample_session());
  const SampleNetwork network = sample_network(4);
  expect_strict(network.genesis);
  expect_strict(network.genesis.models[0]);
  expect_strict(network.genesis.params);
  Account account;
  account.balance_micro = UINT64_MAX;
  account.nonce = 24;
  expect_strict(account);
  Operator op;
  op.stake_micro = 5;
  op.unbonding = {Unbonding()};
  expect_strict(op);
  CollateralRecord collateral;
  collateral.kind = CollateralKind::crl;
  collateral.files = {{1, 2}, {3}};
  expect_strict(collateral);
  expect_strict(BlockRef());
  expect_strict(ValidatorRecord());
  PolicyLayers layers = layers_of(network.genesis.policy);
  layers.restrictions = {Restriction()};
  layers.pauses = {EmergencyPause()};
  expect_strict(layers);
  Proposal proposal;
  proposal.change = {1};
  expect_strict(proposal);
  expect_strict(Ballot());
  expect_strict(Totals());
  expect_strict(Batch());
  expect_strict(Audit());
  Checker checker;
  checker.commitment = hash_of("commitment");
  checker.verdict = CheckVerdict::mismatch;
  Check check;
  check.committee = {checker, Checker()};
  check.first = {checker};
  check.user = hash_of("user");
  expect_strict(check);
  KeySet keys;
  keys.epochs = {KeyConfig()};
  expect_strict(keys);
  FrozenPools frozen;
  frozen.pools = {Pool()};
  expect_strict(frozen);
  DrawTry attempt;
  attempt.places = {{1}, {2}};
  Drawn drawn;
  drawn.tries = {attempt};
  expect_strict(drawn);
  Beacon beacon;
  beacon.shares.push_back(make_beacon_share("chain", 1, 2, network.secrets[0]));
  beacon.value = hash_of("value");
  expect_strict(beacon);
}

TEST(Records, BodiesHaveOneEncoding) {
  EvidenceItem item;
  item.format = 1;
  item.bytes = Buffer(300, 1);
  Registration registration;
  registration.identity_key = hash_of("identity");
  registration.claims = {9};
  registration.evidence = {item};
  registration.endpoint = "a:1";
  registration.offers = sample_instance().offers;
  registration.capacity = 1;
  expect_strict(sign_registration(registration, "chain", hash_of("op"), key_of("identity")));
  Renewal renewal;
  renewal.evidence = {item};
  expect_strict(sign_renewal(renewal, "chain", key_of("identity")));
  Transfer transfer;
  transfer.amount_micro = 1;
  expect_strict(transfer);
  expect_strict(OperatorBond());
  expect_strict(OperatorUnbond());
  expect_strict(OperatorWithdraw());
  KeyRotation rotation;
  rotation.keys.config = {1, 2};
  expect_strict(sign_rotation(rotation, "chain", key_of("identity")));
  Payload payload;
  payload.reference = Reference();
  Job job;
  job.input = payload;
  expect_strict(job);
  expect_strict(SubmitJob());
  PostInput input;
  input.input.inline_bytes = {1, 2};
  expect_strict(input);
  PostResult result;
  result.result = payload;
  result.receipt = {1};
  expect_strict(result);
  expect_strict(CommitReceipts());
  OpenReceipt opened;
  opened.receipt = {1};
  opened.place = {2};
  expect_strict(opened);
  expect_strict(CommitVerdict());
  expect_strict(RevealVerdict());
  expect_strict(Appeal());
  expect_strict(VendorPolicy());
  expect_strict(Revocation());
  expect_strict(Withdrawal());
  Propose propose;
  propose.change = {1, 2};
  expect_strict(propose);
  expect_strict(Vote());
  expect_strict(ReleaseApprove());
  expect_strict(PauseFormat());
  expect_strict(DrainInstance());
  expect_strict(RetireInstance());
  RevokeInstance revoke;
  revoke.evidence = {item};
  revoke.receipts = {{1}, {2}};
  expect_strict(revoke);
  RegisterModel model;
  model.model.name = "model";
  model.model.owner = hash_of("owner");
  expect_strict(model);
  expect_strict(UpdateModel());
  expect_strict(DeprecateModel());
  PutCollateral put;
  put.files = {{1}};
  expect_strict(put);
  OpenSession open;
  open.requirement.formats = {1};
  expect_strict(open);
  expect_strict(ConfirmAttestation());
  ReportAttestation report;
  report.evidence = {item};
  expect_strict(report);
  Settle settle;
  settle.receipt = {1};
  expect_strict(settle);
  expect_strict(CloseSession());
  BeaconShares shares;
  shares.entries.resize(2);
  expect_strict(shares);
  expect_strict(sign_join("chain", hash_of("op"), key_of("consensus")));
  expect_strict(LeaveValidators());
  Claims claims;
  claims.models = {hash_of("model")};
  expect_strict(claims);
  expect_strict(sign_receipt(Receipt(), key_of("identity")));
}

TEST(Records, NumbersOutsideAListAreRefused) {
  Session session = sample_session();
  session.state = static_cast<SessionState>(7);
  EXPECT_FALSE(Session::decode(session.encode()));
  session.state = static_cast<SessionState>(0);
  EXPECT_FALSE(Session::decode(session.encode()));
}

TEST(Records, CountsAboveTheirBoundAreRefused) {
  Session session = sample_session();
  session.excluded.assign(kMaxExcluded, Hash32{1});
  EXPECT_TRUE(Session::decode(session.encode()));
  session.excluded.assign(kMaxExcluded + 1, Hash32{1});
  EXPECT_FALSE(Session::decode(session.encode()));
  Instance instance = sample_instance();
  instance.endpoint.assign(kMaxEndpointBytes + 1, 'a');
  EXPECT_FALSE(Instance::decode(instance.encode()));
}

TEST(Enums, NamesAreUniqueAndEveryCodeHasASentence) {
  std::set<std::string_view> names, sentences;
  size_t codes = 0;
  for (uint32_t number = 0; number < 1000; ++number) {
    const auto code = code_from(number);
    if (!code) continue;
    ++codes;
    EXPECT_TRUE(names.insert(name(*code)).second) << number;
    EXPECT_TRUE(sentences.insert(describe(*code)).second) << number;
  }
  EXPECT_EQ(codes, 126u);
  EXPECT_FALSE(code_from(UINT32_MAX));
  std::vector<std::string_view> families;
  for (size_t i = 0; i < kFamilyCount; ++i) families.push_back(name(static_cast<Family>(i)));
  EXPECT_TRUE(std::is_sorted(families.begin(), families.end()));
  EXPECT_EQ(family_from("sessions"), Family::sessions);
  EXPECT_FALSE(family_from("session"));
}

TEST(Session, RequirementsSelectInstances) {
  const Instance instance = sample_instance();  // format 1, status 2
  Requirement requirement;
  EXPECT_TRUE(meets(instance, requirement));
  requirement.formats = {3};
  EXPECT_FALSE(meets(instance, requirement));
  requirement.formats = {1, 3};
  EXPECT_TRUE(meets(instance, requirement));
  requirement.tcb_statuses = {1};
  EXPECT_FALSE(meets(instance, requirement));
  requirement.tcb_statuses = {1, 2};
  EXPECT_TRUE(meets(instance, requirement));
  EXPECT_TRUE(valid(requirement));
  requirement.formats = {3, 1};
  EXPECT_FALSE(valid(requirement));
  requirement.formats = {1, 1};
  EXPECT_FALSE(valid(requirement));
}

TEST(Session, CostIsRoundedUpOnce) {
  EXPECT_EQ(cost_micro(0, 7), 0u);
  EXPECT_EQ(cost_micro(1, 1), 1u);
  EXPECT_EQ(cost_micro(1'000'000, 7), 7u);
  EXPECT_EQ(cost_micro(1'000'001, 7), 8u);
  EXPECT_EQ(cost_micro(UINT64_MAX, 1'000'000), UINT64_MAX);
  EXPECT_FALSE(cost_micro(UINT64_MAX, 1'000'001));
}

TEST(Binding, IsWhatThePageSays) {
  Claims claims;
  claims.instance_id = hash_of("i");
  claims.spki_sha256 = hash_of("s");
  claims.key_config_sha256 = hash_of("k");
  claims.gpu_evidence_sha256 = hash_of("g");
  auto rd = [&](const Claims& c) {
    ByteWriter w;
    w.text("cloister reg v1").u8(0).bytes(hash_of("chain")).bytes(hash_of("i"));
    w.bytes(hash_of("o")).bytes(hash_of("b")).u64_be(258).bytes(hash_of("s"));
    w.bytes(hash_of("k")).bytes(crypto::sha256(c.encode()));
    return crypto::sha512(w.view());
  };
  EXPECT_EQ(registration_binding("chain", hash_of("o"), hash_of("b"), 258, claims), rd(claims));
  Claims zero = claims;
  zero.gpu_evidence_sha256 = {};
  ByteWriter w;
  w.text("cloister gpu v1").u8(0).bytes(rd(zero));
  EXPECT_EQ(registration_gpu_nonce("chain", hash_of("o"), hash_of("b"), 258, claims),
            crypto::sha256(w.view()));
}

TEST(Receipt, OnlyTheKeyThatSignedVerifies) {
  Receipt receipt;
  receipt.chain_id = "chain";
  receipt.cumulative_units = 5;
  SignedReceipt signed_receipt = sign_receipt(receipt, key_of("a"));
  EXPECT_TRUE(verify_receipt(signed_receipt, key_of("a").public_key()));
  EXPECT_FALSE(verify_receipt(signed_receipt, key_of("b").public_key()));
  signed_receipt.receipt.cumulative_units = 6;
  EXPECT_FALSE(verify_receipt(signed_receipt, key_of("a").public_key()));
}

}  // namespace
}  // namespace cloister::ledger
