#include "merkle/simple.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::merkle {
namespace {

Buffer text(std::string_view t) {
  return to_buffer(as_bytes(t));
}
Buffer hex(std::string_view t) {
  return *from_hex(t);
}
std::string root_hex(const std::vector<Buffer>& leaves) {
  return to_hex(simple_root(leaves));
}

TEST(Simple, UpstreamVectors) {
  EXPECT_EQ(root_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(root_hex({{}}), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(root_hex({text("L123456")}),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

TEST(Simple, ValidatorSetOfThree) {
  auto leaf = [](Buffer key, const char* power) {
    Buffer out = hex("0a220a20");
    out.insert(out.end(), key.begin(), key.end());
    const Buffer tail = hex(power);
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
  };
  Buffer counting(32);
  for (uint8_t i = 0; i < 32; ++i) counting[i] = i;
  // Set order: by power, then by address. ffx32 and 00..1f have the same power.
  auto address = [](const Buffer& key) { return to_hex(crypto::sha256(key)).substr(0, 40); };
  EXPECT_EQ(address(Buffer(32, 0x11)), "02d449a31fbb267c8f352e9968a79e3e5fc95c1b");
  EXPECT_EQ(address(counting), "630dcd2966c4336691125448bbb25b4ff412a49c");
  EXPECT_EQ(root_hex({leaf(Buffer(32, 0x11), "10ac02"), leaf(counting, "100a"),
                      leaf(Buffer(32, 0xff), "100a")}),
            "8d545c62ef6a36c4405353280e1f09e6716b150b583fe8fa55777834c793cf1a");
}

TEST(Simple, ListsOfThree) {
  std::vector<Buffer> txs;
  for (const char* tx : {"tx1", "tx2", "tx3"}) {
    const Hash32 hash = crypto::sha256(as_bytes(tx));
    txs.emplace_back(hash.begin(), hash.end());
  }
  EXPECT_EQ(root_hex(txs), "5732471026f00afd6c7f3d11bbef4fc3b5e47b97a248037d33283bee1034f2ac");
  EXPECT_EQ(root_hex({{}, hex("0805280a3007"), hex("12026f6b")}),
            "94843d9913d01387350bebb328b48887d456a245ea79ebc08633ab30846d9c6e");
}

TEST(Simple, NamedValueLeaf) {
  EXPECT_EQ(to_hex(simple_leaf_hash(simple_value_leaf("key", as_bytes("value")))),
            "edc60159c304bdb2cbfcdb91f9df71e1d960e0d20a9b36714452f48a2e733759");
}

std::vector<Buffer> numbered(size_t count) {
  std::vector<Buffer> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back({static_cast<uint8_t>(i)});
  return leaves;
}

TEST(Simple, EachLeafOfEachSmallListHasAProof) {
  for (size_t count = 1; count <= 20; ++count) {
    const auto leaves = numbered(count);
    const Hash32 root = simple_root(leaves);
    for (size_t i = 0; i < count; ++i) {
      SimpleProof proof = simple_prove(leaves, i);
      EXPECT_EQ(simple_proof_root(proof), root) << count << ' ' << i;
      EXPECT_EQ(decode_value_op(encode_value_op({"name", proof})), (ValueOp{"name", proof}));
      for (Hash32& aunt : proof.aunts) {
        aunt[7] ^= 1;
        EXPECT_NE(simple_proof_root(proof), root);
        aunt[7] ^= 1;
      }
    }
  }
}

TEST(Simple, CountsThatContradictAreRefused) {
  const auto leaves = numbered(5);
  const SimpleProof good = simple_prove(leaves, 2);
  ASSERT_TRUE(simple_proof_root(good));
  SimpleProof bad = good;
  bad.index = 5;
  EXPECT_FALSE(simple_proof_root(bad));
  bad = good;
  bad.aunts.pop_back();
  EXPECT_FALSE(simple_proof_root(bad));
  bad = good;
  bad.aunts.emplace_back();
  EXPECT_FALSE(simple_proof_root(bad));
  bad = good;
  bad.total = 0;
  EXPECT_FALSE(simple_proof_root(bad));
}

TEST(Simple, ValueOpRefusesEveryOtherForm) {
  const Buffer good = encode_value_op({"accounts", simple_prove(numbered(9), 8)});
  ASSERT_TRUE(decode_value_op(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_value_op(Bytes(good).first(size))) << size;
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decode_value_op(longer));
  Buffer loose = good;  // the key's length as a varint of two bytes
  loose[1] |= 0x80;
  loose.insert(loose.begin() + 2, 0);
  EXPECT_FALSE(decode_value_op(loose));
}

}  // namespace
}  // namespace cloister::merkle
