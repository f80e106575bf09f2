#include "gateway/receipt_store.h"

#include <gtest/gtest.h>

namespace cloister::gateway {
namespace {

TEST(ReceiptStore, KeepsForgetsAndRefusesForeignIds) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cloister-store-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  auto store = ReceiptStore::open(std::filesystem::path(pattern) / "receipts");
  ASSERT_TRUE(store);
  SeededRandom random(1);
  auto id = ReceiptStore::new_id(random);
  EXPECT_EQ(store->get(id).error(), StoreError::not_found);
  ASSERT_TRUE(store->put(id, "{}"));
  EXPECT_EQ(store->get(id), "{}");
  for (std::string_view bad : {"", "rcpt-", "rcpt-../../../../etc/passwd00000000000",
                               "rcpt-0123456789abcdef0123456789abcdeg", "../x"}) {
    EXPECT_EQ(store->get(bad).error(), StoreError::bad_id) << bad;
    EXPECT_EQ(store->put(bad, "{}").error(), StoreError::bad_id) << bad;
  }
  EXPECT_TRUE(store->forget(id));
  EXPECT_EQ(store->forget(id).error(), StoreError::not_found);
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace cloister::gateway
