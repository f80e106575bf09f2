// Drawing from pools against the plain rule: one list of all that suit, ascending by id.
#include "ledger/state/pools.h"

#include <gtest/gtest.h>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

// Ten operators with prices from 100,000 to 550,000 and different reputations.
struct Scene {
  TestNetwork n{genesis()};

  static std::string op(int i) { return "op" + std::to_string(i); }
  static Genesis genesis() {
    std::vector<std::string> names = {"alice", "bob"};
    for (int i = 0; i < 10; ++i) names.push_back(op(i));
    Genesis g = TestNetwork::funded(names, kFunds);
    g.params.max_redraws = 16;
    return g;
  }
  Scene() {
    n.block();
    for (int i = 0; i < 10; ++i) {
      n.verifier->statuses[static_cast<uint8_t>(i)] = static_cast<uint8_t>(1 + i % 3);
      OperatorBond bond;
      bond.amount_micro = 1'000'000;
      EXPECT_EQ(n.send(op(i), bond).code, Code::ok);
      Registration r = n.registration(op(i), "node" + std::to_string(i), static_cast<uint8_t>(i));
      r.offers[0].price_micro = 100'000 + 50'000 * static_cast<uint64_t>(i);
      r.capacity = static_cast<uint32_t>(1 + i);
      EXPECT_EQ(
          n.send(op(i), sign_registration(r, n.state.genesis().chain_id, key_of(op(i)).public_key(),
                                          key_of("node" + std::to_string(i))))
              .code,
          Code::ok);
    }
  }
  std::vector<Instance> instances() const {
    std::vector<Instance> out;
    n.state.store().for_each(Family::instances, {}, [&](Bytes, Bytes value) {
      out.push_back(*Instance::decode(value));
      return true;
    });
    return out;
  }
  // The rule of 41-consensus, 10.4, in plain words.
  std::optional<InstanceId> plain_draw(const std::vector<Instance>& at_h,
                                       const Session& session) const {
    std::vector<const Instance*> list;
    std::vector<uint64_t> weights;
    for (const Instance& instance : at_h) {
      const auto op =
          Operator::decode(*n.state.store().get(Family::operators, instance.operator_account));
      const uint64_t weight = draw_weight(instance, *op, n.state.genesis().params);
      if (weight == 0 || !meets(instance, session.requirement)) continue;
      if (std::bit_width(instance.offers[0].price_micro) >
          std::bit_width(session.price_cap_micro)) {
        continue;
      }
      list.push_back(&instance);
      weights.push_back(weight);
    }
    const auto value = n.state.store().get(Family::beacon, number_key(session.request_height + 1));
    const Hash32 beacon = *Beacon::decode(*value)->value;
    for (size_t i : select(beacon, session.id, weights, list.size())) {
      if (fits(session, list[i]->id, list[i]->offers[0].price_micro)) return list[i]->id;
    }
    return std::nullopt;
  }
};

TEST(Pools, TheDrawIsTheWalkOverAllThatSuit) {
  Scene s;
  SeededRandom random(5);
  size_t drawn = 0, refunded = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    OpenSession body = TestNetwork::open_body(1'000, 90'000 + random.next() % 500'000);
    if (random.next() % 2 == 0) body.requirement.tcb_statuses = {1, 3};
    const TxResult opened = s.n.send("alice", body);
    ASSERT_EQ(opened.code, Code::ok) << opened.log;
    const SessionId id = *to_fixed<32>(opened.data);
    for (int redraw = 0; redraw < 4; ++redraw) {
      const std::vector<Instance> at_h = s.instances();
      if (s.n.session(id).state != SessionState::requested) break;
      s.n.block();
      s.n.block();
      const Session session = s.n.session(id);
      const auto want = s.plain_draw(at_h, session);
      EXPECT_EQ(session.instance, want);
      if (!want) {
        EXPECT_EQ(session.state, SessionState::refunded);
        ++refunded;
        break;
      }
      ++drawn;
      if (redraw == 3) break;  // a request left behind would race with the next
      ReportAttestation report;
      report.session = id;
      ASSERT_EQ(s.n.send("alice", report).code, Code::ok);
    }
  }
  EXPECT_GT(drawn, 100u);
  EXPECT_GT(refunded, 2u);
}

TEST(Pools, AStoreReadAgainDrawsFromTheSamePools) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Scene s;
    SeededRandom random(seed);
    s.n.state.take_changes();
    std::vector<SessionId> sessions;
    // Beacons are withheld, so that several heights wait while weights change under them.
    for (int i = 0; i < 12; ++i) {
      const int op = static_cast<int>(random.next() % 10);
      const std::string identity = "node" + std::to_string(op);
      std::vector<Buffer> txs;
      if (random.next() % 2 == 0) {
        s.n.verifier->statuses[static_cast<uint8_t>(op)] =
            static_cast<uint8_t>(1 + random.next() % 3);
        txs.push_back(s.n.tx(Scene::op(op), s.n.renew_body(identity, static_cast<uint8_t>(op))));
      } else if (random.next() % 3 == 0) {
        DrainInstance drain;
        drain.instance = TestNetwork::id_of(identity);
        txs.push_back(s.n.tx(Scene::op(op), drain));
      }
      if (random.next() % 2 == 0) {
        txs.push_back(s.n.tx("alice", TestNetwork::open_body(1'000, 600'000)));
      }
      const BlockResult result = s.n.block(txs, random.next() % 4 == 0);
      for (const TxResult& tx : result.txs) {
        if (tx.data.size() == 32 && tx.code == Code::ok) {
          const auto id = *to_fixed<32>(tx.data);
          if (s.n.state.store().get(Family::sessions, id)) sessions.push_back(id);
        }
      }
    }
    std::vector<StoreChange> rows;
    for (size_t f = 0; f < kFamilyCount; ++f) {
      s.n.state.store().for_each(static_cast<Family>(f), {}, [&](Bytes key, Bytes value) {
        rows.push_back({static_cast<Family>(f), to_buffer(key), to_buffer(value)});
        return true;
      });
    }
    TestNetwork again = s.n;
    again.state = *State::from_store(Store::load(rows), again.verifier);
    for (int i = 0; i < 4; ++i) {
      again.block();
      s.n.block();
      const SubRoots& got = again.state.store().sealed().roots();
      const SubRoots& want = s.n.state.store().sealed().roots();
      for (size_t f = 0; f < kFamilyCount; ++f) {
        EXPECT_EQ(got[f], want[f]) << name(static_cast<Family>(f)) << " in block " << i;
      }
    }
    for (const SessionId& id : sessions) {
      const Session session = s.n.session(id);
      EXPECT_NE(session.state, SessionState::requested);
      if (session.state != SessionState::assigned) continue;
      const Store& store = s.n.state.store();
      const uint64_t h = session.request_height;
      const auto frozen =
          FrozenPools::decode(*store.get(Family::draws, frozen_key(h, session.model_root)));
      const auto beacon = Beacon::decode(*store.get(Family::beacon, number_key(h + 1)));
      const auto drawn = Drawn::decode(*store.get(Family::draws, id));
      EXPECT_TRUE(verify_draw(session, *frozen, *beacon->value, *drawn));
    }
    // Nothing of the past is kept once nobody waits for it.
    s.n.state.store().for_each(Family::draws, {}, [&](Bytes key, Bytes) {
      EXPECT_FALSE(is_since_key(key));
      return true;
    });
  }
}

TEST(Pools, AGainReachesAnInstanceWithItsNextChangeAndALossAllAtOnce) {
  TestNetwork n(TestNetwork::funded({"op", "alice"}, kFunds));
  n.bring_up("op", "node", 1);
  ASSERT_EQ(n.send("op", n.register_body("op", "other", 2)).code, Code::ok);
  const auto weight = [&](const char* identity) {
    const Instance instance = n.instance(TestNetwork::id_of(identity));
    const auto value = n.state.store().get(
        Family::draws, weight_key(pool_of(instance, instance.offers[0]), instance.id));
    return value ? ByteReader(*value).u64_be().value_or(0) : 0;
  };
  EXPECT_EQ(weight("node"), 4u * 50u);
  EXPECT_EQ(weight("other"), 4u * 50u);
  const SessionId session = n.open_confirmed("alice");
  const bool on_node = n.session(session).instance == TestNetwork::id_of("node");
  ASSERT_EQ(
      n.send(on_node ? "node" : "other", n.settle_body(session, on_node ? "node" : "other", 10))
          .code,
      Code::ok);
  EXPECT_EQ(n.op("op").reputation, 501u);
  EXPECT_EQ(weight("node"), (on_node ? 3u : 4u) * 50u);
  EXPECT_EQ(weight("other"), (on_node ? 4u : 3u) * 50u);
  ASSERT_EQ(n.send("op", n.renew_body("node", 1)).code, Code::ok);
  EXPECT_EQ(weight("node"), (on_node ? 3u : 4u) * 51u);
  EXPECT_EQ(weight("other"), (on_node ? 4u : 3u) * 50u);
  n.verifier->refused[1] = Code::evidence_revoked;
  RevokeInstance revoke;
  revoke.instance = TestNetwork::id_of("node");
  revoke.evidence = n.evidence_of("node", 1);
  ASSERT_EQ(n.send("alice", revoke).code, Code::ok);  // the slash leaves less than the minimum
  EXPECT_EQ(weight("node"), 0u);
  EXPECT_EQ(weight("other"), 0u);
}

struct DrawScene {
  Session session;
  FrozenPools frozen;
  Hash32 beacon{};
  Drawn drawn;
};

// A draw with a try that was passed over.
DrawScene draw_scene() {
  Scene s;
  for (int i = 0;; ++i) {
    const SessionId id =
        *to_fixed<32>(s.n.send("alice", TestNetwork::open_body(1'000, 270'000)).data);
    s.n.block();
    s.n.block();
    DrawScene out;
    out.session = s.n.session(id);
    const uint64_t h = out.session.request_height;
    const Store& store = s.n.state.store();
    out.frozen =
        *FrozenPools::decode(*store.get(Family::draws, frozen_key(h, out.session.model_root)));
    out.beacon = *Beacon::decode(*store.get(Family::beacon, number_key(h + 1)))->value;
    out.drawn = *Drawn::decode(*store.get(Family::draws, id));
    if (out.drawn.tries.size() == 2) return out;
    EXPECT_LT(i, 100);
  }
}

TEST(VerifyDraw, EachSingleFaultIsRefused) {
  const DrawScene good = draw_scene();
  ASSERT_TRUE(verify_draw(good.session, good.frozen, good.beacon, good.drawn));
  struct Case {
    const char* name;
    DrawError want;
    void (*spoil)(DrawScene&);
  };
  const Case cases[] = {
      {"no tries", DrawError::no_tries, [](DrawScene& s) { s.drawn.tries.clear(); }},
      {"pools of another height", DrawError::other_height,
       [](DrawScene& s) { s.frozen.height += 1; }},
      {"drawn at another height", DrawError::other_height,
       [](DrawScene& s) { s.drawn.height += 1; }},
      {"a request of another height", DrawError::other_height,
       [](DrawScene& s) { s.session.request_height += 1; }},
      {"a place missing", DrawError::places,
       [](DrawScene& s) { s.drawn.tries[1].places.pop_back(); }},
      {"a place bent", DrawError::places,
       [](DrawScene& s) { s.drawn.tries[1].places[0].back() ^= 1; }},
      {"a pool missing", DrawError::places,
       [](DrawScene& s) { s.frozen.pools.erase(s.frozen.pools.begin()); }},
      {"a pool of another total", DrawError::places,
       [](DrawScene& s) { s.frozen.pools[0].total += 1; }},
      {"another beacon", DrawError::not_hit, [](DrawScene& s) { s.beacon = hash_of("x"); }},
      {"another session", DrawError::not_hit, [](DrawScene& s) { s.session.id = hash_of("x"); }},
      {"the first try left out", DrawError::not_hit,
       [](DrawScene& s) { s.drawn.tries.erase(s.drawn.tries.begin()); }},
      {"ended too early", DrawError::unfit,
       [](DrawScene& s) {
         s.drawn.tries.pop_back();
         s.session.instance = s.drawn.tries[0].instance;
       }},
      {"went on too long", DrawError::passed_over,
       [](DrawScene& s) { s.session.price_cap_micro = 500'000; }},
      {"another instance", DrawError::other_winner,
       [](DrawScene& s) { s.session.instance = hash_of("x"); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    DrawScene scene = good;
    c.spoil(scene);
    const auto got = verify_draw(scene.session, scene.frozen, scene.beacon, scene.drawn);
    ASSERT_FALSE(got);
    EXPECT_EQ(describe(got.error()), describe(c.want));
  }
}

}  // namespace
}  // namespace cloister::ledger
