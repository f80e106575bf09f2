#include "crypto/mlkem/mlkem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vectors_testing.h"

namespace cloister::crypto {
namespace {

template <size_t N>
Secret<N> secret_of(Bytes bytes) {
  Secret<N> out;
  std::ranges::copy(bytes.first(N), out.reveal_mutable().begin());
  return out;
}

class MlKemVectors : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!found) GTEST_SKIP() << "no vectors beside the checkout";
    folder_ = *found / "crypto";
  }
  // The records of a file, each of which begins with `first`.
  std::vector<std::map<std::string, Buffer>> records(std::string_view file,
                                                     std::string_view first) const {
    std::vector<std::map<std::string, Buffer>> out;
    for (const auto& [name, value] : read_vector_fields(folder_ / file)) {
      if (name == first) out.emplace_back();
      if (!out.empty()) {
        out.back()[name] = name == "result" ? to_buffer(as_bytes(value)) : bytes_of_hex(value);
      }
    }
    return out;
  }
  JsonValue wycheproof(std::string_view file) const {
    const auto text = read_file(folder_ / "wycheproof" / file, 4 << 20);
    auto value = parse_json(as_text(*text), {8 << 20, 1'000'000, 4096});
    return std::move(*value);
  }
  std::filesystem::path folder_;
};

TEST_F(MlKemVectors, KeysFromSeeds) {
  const auto all = records("mlkem768_keygen_tests.txt", "seed");
  ASSERT_GE(all.size(), 20u);
  for (const auto& record : all) {
    const auto key = MlKemKey::from_seed(secret_of<64>(record.at("seed")));
    EXPECT_TRUE(equal(key.public_key(), record.at("public_key")));
    // The expanded key is the same one: its own check and its answers agree.
    const auto expanded = to_fixed<kMlKemExpandedBytes>(record.at("private_key"));
    ASSERT_TRUE(expanded);
    const auto same = MlKemKey::from_expanded_for_testing(*expanded);
    ASSERT_TRUE(same);
    const auto sealed = mlkem_encapsulate(key.public_key(), Secret<32>(Fixed<32>{7}));
    ASSERT_TRUE(sealed);
    EXPECT_TRUE(equal(same->decapsulate(sealed->ciphertext).reveal(), sealed->shared.reveal()));
    EXPECT_TRUE(equal(key.decapsulate(sealed->ciphertext).reveal(), sealed->shared.reveal()));
  }
}

TEST_F(MlKemVectors, Encapsulation) {
  const auto all = records("mlkem768_encap_tests.txt", "entropy");
  ASSERT_GE(all.size(), 30u);
  size_t refused = 0;
  for (const auto& record : all) {
    const auto key = to_fixed<kMlKemPublicBytes>(record.at("public_key"));
    const auto coins = secret_of<32>(record.at("entropy"));
    const auto made = key ? mlkem_encapsulate(*key, coins) : std::nullopt;
    const bool passes = as_text(record.at("result")) == "pass";
    ASSERT_EQ(made.has_value(), passes);
    refused += passes ? 0 : 1;
    if (!passes) continue;
    EXPECT_TRUE(equal(made->ciphertext, record.at("ciphertext")));
    EXPECT_TRUE(equal(made->shared.reveal(), record.at("shared_secret")));
  }
  EXPECT_GE(refused, 10u);
}

TEST_F(MlKemVectors, Decapsulation) {
  const auto all = records("mlkem768_decap_tests.txt", "private_key");
  ASSERT_GE(all.size(), 30u);
  for (const auto& record : all) {
    const auto expanded = to_fixed<kMlKemExpandedBytes>(record.at("private_key"));
    const auto ciphertext = to_fixed<kMlKemCiphertextBytes>(record.at("ciphertext"));
    const auto key = expanded ? MlKemKey::from_expanded_for_testing(*expanded) : std::nullopt;
    ASSERT_EQ(key && ciphertext, as_text(record.at("result")) == "pass");
    if (!key || !ciphertext) continue;
    EXPECT_TRUE(equal(key->decapsulate(*ciphertext).reveal(), record.at("shared_secret")));
  }
}

// Among them ciphertexts that were made for no key: the implicit rejection's secret.
TEST_F(MlKemVectors, NistDecapsulation) {
  std::optional<MlKemKey> key;
  size_t compared = 0;
  Buffer ciphertext;
  for (const auto& [name, value] : read_vector_fields(folder_ / "mlkem768_nist_decap_tests.txt")) {
    const Buffer bytes = bytes_of_hex(value);
    if (name == "dk") {
      key = MlKemKey::from_expanded_for_testing(*to_fixed<kMlKemExpandedBytes>(bytes));
    }
    if (name == "c") ciphertext = bytes;
    if (name != "k") continue;
    ASSERT_TRUE(key);
    const auto shared = key->decapsulate(*to_fixed<kMlKemCiphertextBytes>(ciphertext));
    EXPECT_TRUE(equal(shared.reveal(), bytes));
    ++compared;
  }
  EXPECT_GE(compared, 10u);
}

TEST_F(MlKemVectors, Wycheproof) {
  const auto document = wycheproof("mlkem_768_test.json");
  size_t accepted = 0, refused = 0;
  for (const auto& group : *document["testGroups"].array()) {
    for (const auto& test : *group["tests"].array()) {
      SCOPED_TRACE(*test["tcId"].u64());
      if (test.find("seed") == nullptr) {  // encapsulation: m for the coins
        const auto key = to_fixed<kMlKemPublicBytes>(bytes_of_hex(*test["ek"].string()));
        const Buffer coins = bytes_of_hex(*test["m"].string());
        const auto made = key ? mlkem_encapsulate(*key, secret_of<32>(coins)) : std::nullopt;
        ASSERT_EQ(made.has_value(), *test["result"].string() == "valid");
        if (made) {
          EXPECT_EQ(to_hex(made->shared.reveal()), *test["K"].string());
        }
        made ? ++accepted : ++refused;
        continue;
      }
      const Buffer seed = bytes_of_hex(*test["seed"].string());
      const auto ciphertext = to_fixed<kMlKemCiphertextBytes>(bytes_of_hex(*test["c"].string()));
      const bool usable = seed.size() == 64 && ciphertext;
      ASSERT_EQ(usable, *test["result"].string() == "valid");
      usable ? ++accepted : ++refused;
      if (!usable) continue;
      const auto shared = MlKemKey::from_seed(secret_of<64>(seed)).decapsulate(*ciphertext);
      EXPECT_EQ(to_hex(shared.reveal()), *test["K"].string());
    }
  }
  EXPECT_EQ(accepted, 153u);
  EXPECT_EQ(refused, 40u);
}

TEST_F(MlKemVectors, WycheproofExpandedKeys) {
  const auto document = wycheproof("mlkem_768_semi_expanded_decaps_test.json");
  for (const auto& group : *document["testGroups"].array()) {
    for (const auto& test : *group["tests"].array()) {
      SCOPED_TRACE(*test["tcId"].u64());
      const auto expanded = to_fixed<kMlKemExpandedBytes>(bytes_of_hex(*test["dk"].string()));
      const auto ciphertext = to_fixed<kMlKemCiphertextBytes>(bytes_of_hex(*test["c"].string()));
      const auto key = expanded ? MlKemKey::from_expanded_for_testing(*expanded) : std::nullopt;
      ASSERT_EQ(key && ciphertext, *test["result"].string() == "valid");
      if (!key || !ciphertext || test.find("K") == nullptr) continue;
      EXPECT_EQ(to_hex(key->decapsulate(*ciphertext).reveal()), *test["K"].string());
    }
  }
}

TEST(MlKem, ACoefficientOfTheModulusIsRefused) {
  auto key = MlKemKey::from_seed(Secret<64>(Fixed<64>{1})).public_key();
  const Secret<32> coins(Fixed<32>{2});
  ASSERT_TRUE(mlkem_encapsulate(key, coins));
  key[0] = 3328 & 0xff;
  key[1] = static_cast<uint8_t>((key[1] & 0xf0) | 3328 >> 8);
  EXPECT_TRUE(mlkem_encapsulate(key, coins));
  key[0] = 3329 & 0xff;
  EXPECT_FALSE(mlkem_encapsulate(key, coins));
}

}  // namespace
}  // namespace cloister::crypto
