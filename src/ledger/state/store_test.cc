#include "ledger/state/store.h"

#include <gtest/gtest.h>

#include "base/seams.h"
#include "base/text.h"

namespace cloister::ledger {
namespace {

Buffer text(std::string_view t) {
  return to_buffer(as_bytes(t));
}

TEST(Store, OrderedReadsByPrefix) {
  Store store;
  for (const char* key : {"b2", "a1", "b1", "c", "b"}) {
    store.put(Family::due, text(key), text(key));
  }
  std::string seen;
  store.for_each(Family::due, as_bytes("b"), [&](Bytes key, Bytes) {
    seen += std::string(as_text(key)) + " ";
    return true;
  });
  EXPECT_EQ(seen, "b b1 b2 ");
  size_t count = 0;
  store.for_each(Family::due, {}, [&](Bytes, Bytes) { return ++count < 2; });
  EXPECT_EQ(count, 2u);
  EXPECT_FALSE(store.get(Family::jobs, as_bytes("b")));
}

TEST(Store, KeysThatBeginAlikeAreToldApart) {
  const std::vector<Buffer> keys = {text("1234567"),   {'1', '2', '3', '4', '5', '6', '7', 0},
                                    text("12345678"),  text("12345678a"),
                                    text("12345678b"), text("12345678ba")};
  Store store;
  for (size_t i = keys.size(); i-- > 0;) store.put(Family::due, keys[i], keys[i]);
  for (const Buffer& key : keys) {
    const auto value = store.get(Family::due, key);
    EXPECT_TRUE(value && equal(*value, key)) << to_hex(key);
  }
  EXPECT_FALSE(store.get(Family::due, text("12345678aa")));
  std::vector<Buffer> seen;
  const auto note = [&](Bytes key, Bytes) {
    seen.push_back(to_buffer(key));
    return true;
  };
  store.for_each(Family::due, text("12345678b"), note);
  EXPECT_EQ(seen, (std::vector<Buffer>{keys[4], keys[5]}));
  seen.clear();
  store.for_each(Family::due, {}, note);
  EXPECT_EQ(seen, keys);
  store.erase(Family::due, keys[3]);
  EXPECT_FALSE(store.get(Family::due, keys[3]));
  EXPECT_TRUE(store.get(Family::due, keys[4]));
}

TEST(Store, RollbackRestoresEverythingSinceTheMark) {
  Store store;
  store.put(Family::jobs, text("kept"), text("1"));
  store.put(Family::jobs, text("gone"), text("1"));
  store.seal();
  const Hash32 before = store.sealed().app_hash();
  store.take_changes();
  store.mark();
  store.put(Family::jobs, text("kept"), text("2"));
  store.put(Family::jobs, text("kept"), text("3"));
  store.put(Family::jobs, text("new"), text("4"));
  store.erase(Family::jobs, as_bytes("gone"));
  store.erase(Family::jobs, as_bytes("never"));
  store.rollback();
  EXPECT_EQ(as_text(*store.get(Family::jobs, as_bytes("kept"))), "1");
  EXPECT_TRUE(store.get(Family::jobs, as_bytes("gone")));
  EXPECT_FALSE(store.get(Family::jobs, as_bytes("new")));
  store.seal();
  EXPECT_EQ(store.sealed().app_hash(), before);
  EXPECT_TRUE(store.take_changes().empty());
}

TEST(Store, SnapshotsProveWhatTheyHoldWhileTheStoreMovesOn) {
  Store store;
  store.put(Family::jobs, text("a"), text("1"));
  store.seal();
  const Snapshot old = store.sealed();
  store.put(Family::jobs, text("a"), text("2"));
  store.put(Family::jobs, text("b"), text("3"));
  EXPECT_EQ(store.sealed().app_hash(), old.app_hash());  // not sealed yet
  store.seal();
  EXPECT_NE(store.sealed().app_hash(), old.app_hash());
  EXPECT_EQ(old.get(Family::jobs, as_bytes("a")), text("1"));
  EXPECT_FALSE(old.get(Family::jobs, as_bytes("b")));
  EXPECT_TRUE(verify_read(old.app_hash(), Family::jobs, as_bytes("a"), as_bytes("1"),
                          old.prove(Family::jobs, as_bytes("a"))));
  EXPECT_TRUE(verify_read(old.app_hash(), Family::jobs, as_bytes("b"), std::nullopt,
                          old.prove(Family::jobs, as_bytes("b"))));
  EXPECT_TRUE(verify_read(store.sealed().app_hash(), Family::jobs, as_bytes("b"), as_bytes("3"),
                          store.sealed().prove(Family::jobs, as_bytes("b"))));
}

// The root depends on what is held, not on how it came to be held; saved changes rebuild it.
TEST(Store, RandomHistoriesReloadToTheSameRoot) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Store store;
    std::map<std::pair<Family, std::string>, Buffer> saved;
    for (int block = 0; block < 5; ++block) {
      for (int i = 0; i < 20; ++i) {
        const auto family = static_cast<Family>(random.next() % kFamilyCount);
        const std::string key = std::to_string(random.next() % 8);
        if (random.next() % 3 == 0) {
          store.erase(family, as_bytes(key));
        } else {
          store.put(family, text(key), text(std::to_string(random.next())));
        }
      }
      store.seal();
      for (StoreChange& change : store.take_changes()) {
        const std::pair id{change.family, std::string(as_text(change.key))};
        if (change.value) saved[id] = *change.value;
        if (!change.value) saved.erase(id);
      }
    }
    std::vector<StoreChange> rows;
    for (const auto& [id, value] : saved) rows.push_back({id.first, text(id.second), value});
    Store again = Store::load(rows);
    EXPECT_EQ(again.sealed().app_hash(), store.sealed().app_hash());
    EXPECT_TRUE(again.take_changes().empty());
  }
}

// As many rows as make loading use several threads.
TEST(Store, AFullStateLoadsToTheRootThatItHad) {
  constexpr std::array kFamilies = {Family::accounts, Family::instances, Family::draws, Family::due,
                                    Family::standings};
  Store store;
  for (uint64_t i = 0; i < 15'000; ++i) {
    const Hash32 key = crypto::sha256(ByteWriter().u64_be(i).view());
    store.put(kFamilies[i % kFamilies.size()], to_buffer(key), ByteWriter().u64_be(i).take());
  }
  store.seal();
  const auto rows = store.take_changes();
  ASSERT_EQ(rows.size(), 15'000u);
  const Store loaded = Store::load(rows);
  EXPECT_EQ(loaded.sealed().app_hash(), store.sealed().app_hash());
  for (const StoreChange& row : rows) {
    const auto value = loaded.get(row.family, row.key);
    ASSERT_TRUE(value && equal(*value, *row.value));
  }
}

}  // namespace
}  // namespace cloister::ledger
