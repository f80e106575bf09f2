#include "crypto/hpke/hpke.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/vectors_testing.h"

namespace cloister::crypto {
namespace {

// Hands out the bytes of a vector, in order.
class GivenRandom final : public Random {
 public:
  explicit GivenRandom(Buffer bytes) : bytes_(std::move(bytes)) {}
  void fill(std::span<uint8_t> out) override {
    ASSERT_LE(at_ + out.size(), bytes_.size());
    std::ranges::copy(Bytes(bytes_).subspan(at_, out.size()), out.begin());
    at_ += out.size();
  }
  bool used_up() const { return at_ == bytes_.size(); }

 private:
  Buffer bytes_;
  size_t at_ = 0;
};

Secret<32> secret_of(Bytes bytes) {
  return Secret<32>(*to_fixed<32>(bytes));
}

Buffer seal(HpkeSender& sender, Bytes associated, Bytes plaintext) {
  Buffer out(plaintext.size() + kAeadTagBytes);
  sender.seal(associated, plaintext, out);
  return out;
}

std::expected<SecretBuffer, HpkeError> open(HpkeRecipient& recipient, Bytes associated,
                                            Bytes sealed) {
  SecretBuffer out(std::max(sealed.size(), kAeadTagBytes) - kAeadTagBytes);
  auto opened = recipient.open(associated, sealed, out);
  if (!opened) return std::unexpected(opened.error());
  return out;
}

// One `mode = 0` block of the official file: the set-up, then what it encrypts and exports.
struct Record {
  std::map<std::string, std::string> setup;
  struct Encryption {
    Buffer aad, ciphertext, plaintext;
  };
  std::vector<Encryption> encryptions;
  struct Export {
    Buffer context, value;
    size_t size = 0;
  };
  std::vector<Export> exports;
};

std::vector<Record> read_records(const std::filesystem::path& file) {
  std::vector<Record> out;
  for (const auto& [name, value] : read_vector_fields(file)) {
    if (name == "mode") out.emplace_back();
    Record& record = out.back();
    if (name == "aad") {
      record.encryptions.push_back({bytes_of_hex(value), {}, {}});
    } else if (name == "ct") {
      record.encryptions.back().ciphertext = bytes_of_hex(value);
    } else if (name == "pt") {
      record.encryptions.back().plaintext = bytes_of_hex(value);
    } else if (name == "exporter_context") {
      record.exports.push_back({bytes_of_hex(value), {}, 0});
    } else if (name == "L") {
      record.exports.back().size = std::stoul(value);
    } else if (name == "exported_value") {
      record.exports.back().value = bytes_of_hex(value);
    } else {
      record.setup[name] = value;
    }
  }
  return out;
}

void check(const Record& record, KemKind kem) {
  auto bytes = [&](const char* name) { return bytes_of_hex(record.setup.at(name)); };
  const auto aead = static_cast<AeadKind>(std::stoul(record.setup.at("aead_id")));
  const auto key = KemKey::from_secret(kem, secret_of(bytes("skRm")));
  ASSERT_TRUE(equal(key.public_key(), bytes("pkRm")));
  GivenRandom random(bytes("sender_seed"));
  auto sender = HpkeSender::setup(kem, aead, key.public_key(), bytes("info"), random);
  ASSERT_TRUE(sender);
  EXPECT_TRUE(random.used_up());
  ASSERT_EQ(to_hex(sender->encapsulated()), record.setup.at("enc"));
  auto recipient = HpkeRecipient::setup(key, aead, bytes("enc"), bytes("info"));
  ASSERT_TRUE(recipient);
  for (const auto& one : record.encryptions) {
    ASSERT_EQ(seal(*sender, one.aad, one.plaintext), one.ciphertext);
    const auto opened = open(*recipient, one.aad, one.ciphertext);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal(*opened, one.plaintext));
  }
  for (const auto& one : record.exports) {
    const auto context = as_text(one.context);
    EXPECT_TRUE(equal(sender->export_secret(context, one.size), one.value));
    EXPECT_TRUE(equal(recipient->export_secret(context, one.size), one.value));
  }
}

class HpkeVectors : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!found) GTEST_SKIP() << "no vectors beside the checkout";
    folder_ = *found / "crypto";
  }
  std::filesystem::path folder_;
};

// Base mode with X25519, and each AEAD. The other records of the file are of P-256, of the
// authenticated mode, or export-only (0xffff has no AEAD): not built.
TEST_F(HpkeVectors, Rfc9180) {
  size_t checked = 0;
  for (const auto& record : read_records(folder_ / "hpke_test_vectors.txt")) {
    if (record.setup.at("mode") != "0" || record.setup.at("kem_id") != "32") continue;
    SCOPED_TRACE(record.setup.at("aead_id"));
    ASSERT_FALSE(record.encryptions.empty());
    check(record, KemKind::x25519);
    ++checked;
  }
  EXPECT_EQ(checked, 3u);
}

TEST_F(HpkeVectors, XWing) {
  size_t checked = 0;
  for (const auto& record : read_records(folder_ / "hpke_test_vectors_pq.txt")) {
    if (record.setup.at("kem_id") != std::to_string(0x647a)) continue;
    ASSERT_FALSE(record.encryptions.empty());
    check(record, KemKind::x_wing);
    ++checked;
  }
  EXPECT_EQ(checked, 1u);
}

TEST_F(HpkeVectors, XWingDraft) {
  SeededRandom random(1);
  std::map<std::string, KemKey> keys;
  std::string name_of_key, input;
  Buffer seed, public_key;
  size_t compared = 0, refused = 0;
  for (const auto& [name, value] : read_vector_fields(folder_ / "xwing_tests.txt")) {
    if (name == "Key" || name == "Decapsulate") {
      name_of_key = value.substr(0, value.find('/'));
      seed = public_key = {};
    } else if (name == "PrivateSeed") {
      seed = bytes_of_hex(value);
      if (seed.size() != 32) continue;
      keys.emplace(name_of_key, KemKey::from_secret(KemKind::x_wing, secret_of(seed)));
    } else if (name == "RawPublic") {
      public_key = bytes_of_hex(value);
      if (keys.contains(name_of_key)) {
        EXPECT_TRUE(equal(keys.at(name_of_key).public_key(), public_key));
      }
    } else if (name == "Error") {  // of a key: another size
      ASSERT_TRUE(seed.empty() != public_key.empty());
      EXPECT_NE(seed.size(), 32u);
      EXPECT_FALSE(encapsulate(KemKind::x_wing, public_key, random));
      ++refused;
    } else if (name == "Input") {
      input = value;
    } else if (name == "Output") {
      const auto shared = keys.at(name_of_key).decapsulate(bytes_of_hex(input));
      ASSERT_TRUE(shared);
      EXPECT_EQ(to_hex(shared->reveal()), value);
      ++compared;
    } else if (name == "DecapsulateFail") {
      EXPECT_FALSE(keys.at(name_of_key).decapsulate(bytes_of_hex(input)));
      ++refused;
    }
  }
  EXPECT_EQ(compared, 2u);
  EXPECT_EQ(refused, 6u);
}

constexpr KemKind kKinds[] = {KemKind::x25519, KemKind::x_wing};

TEST(Kem, KeysOfAnotherSizeOrOfSmallOrderAreRefused) {
  SeededRandom random(1);
  for (KemKind kind : kKinds) {
    const auto key = KemKey::generate(kind, random);
    Buffer pub = to_buffer(key.public_key());
    ASSERT_TRUE(encapsulate(kind, pub, random));
    Buffer shorter(pub.begin(), pub.end() - 1), longer = pub;
    longer.push_back(0);
    EXPECT_FALSE(encapsulate(kind, shorter, random));
    EXPECT_FALSE(encapsulate(kind, longer, random));
    std::ranges::fill(std::span(pub).last(32), uint8_t{0});  // the point of order 4
    EXPECT_FALSE(encapsulate(kind, pub, random));
  }
}

TEST(Kem, EncapsulationsOfAnotherSizeOrOfSmallOrderAreRefused) {
  SeededRandom random(2);
  for (KemKind kind : kKinds) {
    const auto key = KemKey::generate(kind, random);
    Buffer enc = encapsulate(kind, key.public_key(), random)->encapsulated;
    ASSERT_TRUE(key.decapsulate(enc));
    Buffer shorter(enc.begin(), enc.end() - 1), longer = enc;
    longer.push_back(0);
    EXPECT_FALSE(key.decapsulate(shorter));
    EXPECT_FALSE(key.decapsulate(longer));
    std::ranges::fill(std::span(enc).last(32), uint8_t{0});
    EXPECT_FALSE(key.decapsulate(enc));
  }
}

// Each half of X-Wing alone changes the secret.
TEST(Kem, XWingBindsBothHalves) {
  SeededRandom random(3);
  const auto key = KemKey::generate(KemKind::x_wing, random);
  const auto made = encapsulate(KemKind::x_wing, key.public_key(), random);
  ASSERT_TRUE(made);
  EXPECT_TRUE(equal(key.decapsulate(made->encapsulated)->reveal(), made->shared.reveal()));
  for (size_t at : {size_t{0}, size_t{1087}, size_t{1088}, size_t{1100}}) {
    Buffer other = made->encapsulated;
    other[at] ^= 1;
    EXPECT_FALSE(equal(key.decapsulate(other)->reveal(), made->shared.reveal()));
  }
}

struct Pair {
  HpkeSender sender;
  HpkeRecipient recipient;
};

Pair make_pair(KemKind kind, Random& random) {
  const auto key = KemKey::generate(kind, random);
  const auto aead = AeadKind::aes_256_gcm;
  auto sender = HpkeSender::setup(kind, aead, key.public_key(), as_bytes("info"), random);
  auto recipient = HpkeRecipient::setup(key, aead, sender->encapsulated(), as_bytes("info"));
  return {std::move(*sender), std::move(*recipient)};
}

TEST(Hpke, OrderIsKept) {
  SeededRandom random(4);
  for (KemKind kind : kKinds) {
    auto [sender, recipient] = make_pair(kind, random);
    const Buffer first = seal(sender, {}, as_bytes("one"));
    const Buffer second = seal(sender, {}, as_bytes("two"));
    EXPECT_EQ(open(recipient, {}, second).error(), HpkeError::not_authentic);
    EXPECT_EQ(as_text(*open(recipient, {}, first)), "one");
    EXPECT_EQ(open(recipient, {}, first).error(), HpkeError::not_authentic);
    EXPECT_EQ(as_text(*open(recipient, {}, second)), "two");
  }
}

TEST(Hpke, InfoKeyAndAssociatedDataMustAgree) {
  SeededRandom random(5);
  const auto kind = KemKind::x_wing;
  const auto aead = AeadKind::aes_256_gcm;
  const auto key = KemKey::generate(kind, random), other = KemKey::generate(kind, random);
  auto sender = HpkeSender::setup(kind, aead, key.public_key(), as_bytes("info"), random);
  ASSERT_TRUE(sender);
  const Buffer sealed = seal(*sender, as_bytes("aad"), as_bytes("text"));
  auto opens = [&](const KemKey& with, std::string_view info, std::string_view aad) {
    auto recipient = HpkeRecipient::setup(with, aead, sender->encapsulated(), as_bytes(info));
    return recipient && open(*recipient, as_bytes(aad), sealed);
  };
  EXPECT_TRUE(opens(key, "info", "aad"));
  EXPECT_FALSE(opens(key, "infp", "aad"));
  EXPECT_FALSE(opens(key, "info", "aae"));
  EXPECT_FALSE(opens(other, "info", "aad"));
}

TEST(Hpke, EveryChangedByteAndEveryTruncationIsRefused) {
  SeededRandom random(6);
  auto [sender, recipient] = make_pair(KemKind::x25519, random);
  const Buffer sealed = seal(sender, {}, as_bytes("some text"));
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(open(recipient, {}, Bytes(sealed).first(size)));
    Buffer changed = sealed;
    changed[size] ^= 0x80;
    EXPECT_FALSE(open(recipient, {}, changed));
  }
  EXPECT_TRUE(open(recipient, {}, sealed));
}

}  // namespace
}  // namespace cloister::crypto
