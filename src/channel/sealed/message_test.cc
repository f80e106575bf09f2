#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/text.h"
#include "channel/sealed/sealed_testing.h"
#include "channel/sealed/varint.h"

namespace cloister::sealed {
namespace {

using crypto::KemKind;

constexpr size_t kTag = crypto::kAeadTagBytes;
constexpr size_t kXWingHead = 7 + 1120;

TEST(SealedMessage, ARequestAndItsAnswerComeBack) {
  for (KemKind kem : {KemKind::x_wing, KemKind::x25519}) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{300}, size_t{70'000}, size_t{1} << 20}) {
      TestPeers peers;
      const std::string content(size, 'q');
      auto sealed = peers.seal(content, kem);
      auto opened = peers.open(sealed.message, Carrier::attested_tls);
      ASSERT_TRUE(opened) << name(opened.error());
      EXPECT_EQ(as_text(opened->content), content);
      EXPECT_EQ(opened->profile, peers.profile());
      EXPECT_EQ(opened->path, "/test");
      const auto chunks = seal_answer(opened->answer, Padding::standard, content);
      EXPECT_EQ(*open_answer(sealed.answer, joined(chunks)), content);
    }
  }
}

TEST(SealedMessage, LengthsTellOnlyTheBucket) {
  TestPeers peers;
  const size_t fixed = kXWingHead + 1 + kTag;
  EXPECT_EQ(peers.seal("").message.size(), fixed + 512);  // the fields take most of it
  EXPECT_EQ(peers.seal(std::string(100, 'x')).message.size(), fixed + 1024);
  EXPECT_EQ(peers.seal(std::string(500, 'x')).message.size(), fixed + 1024);
  EXPECT_EQ(peers.seal(std::string(1500, 'x')).message.size(), fixed + 2048);
  EXPECT_EQ(peers.seal(std::string(100'000, 'x')).message.size(),
            fixed + 131'072 + kTag + varint_size(kMaxChunkBytes));
}

TEST(SealedMessage, NoTwoAreAlike) {
  TestPeers peers;
  const auto one = peers.seal("same"), other = peers.seal("same");
  EXPECT_NE(Buffer(one.message.begin() + 7, one.message.begin() + 1127),
            Buffer(other.message.begin() + 7, other.message.begin() + 1127));
}

// --- hostile requests ---

TEST(HostileRequest, EachHasItsOwnError) {
  struct Case {
    const char* name;
    void (*spoil)(Buffer&);
    SealedError want;
  };
  const Case cases[] = {
      {"empty", [](Buffer& m) { m.clear(); }, SealedError::malformed},
      {"head cut", [](Buffer& m) { m.resize(6); }, SealedError::malformed},
      {"key cut", [](Buffer& m) { m.resize(kXWingHead - 1); }, SealedError::malformed},
      {"other epoch", [](Buffer& m) { m[0] += 2; }, SealedError::unknown_key},
      {"key of the other mechanism", [](Buffer& m) { m[0] += 1; }, SealedError::suite_mismatch},
      {"other mechanism", [](Buffer& m) { m[2] ^= 1; }, SealedError::suite_mismatch},
      {"other KDF", [](Buffer& m) { m[4] = 2; }, SealedError::suite_mismatch},
      {"other AEAD", [](Buffer& m) { m[6] = 3; }, SealedError::suite_mismatch},
      {"point of small order",
       [](Buffer& m) { std::fill_n(m.begin() + kXWingHead - 32, 32, uint8_t{0}); },
       SealedError::bad_encapsulated},
      {"ML-KEM half", [](Buffer& m) { m[7] ^= 1; }, SealedError::not_authentic},
      {"X25519 half", [](Buffer& m) { m[kXWingHead - 2] ^= 1; }, SealedError::not_authentic},
      {"text", [](Buffer& m) { m[kXWingHead + 5] ^= 1; }, SealedError::not_authentic},
      {"tag", [](Buffer& m) { m.back() ^= 1; }, SealedError::not_authentic},
      {"one byte more", [](Buffer& m) { m.push_back(0); }, SealedError::not_authentic},
      {"one byte less", [](Buffer& m) { m.pop_back(); }, SealedError::not_authentic},
      {"nothing after the key", [](Buffer& m) { m.resize(kXWingHead); }, SealedError::truncated},
      {"last chunk called another",
       [](Buffer& m) {
         Buffer size;
         write_varint(size, m.size() - kXWingHead - 1);
         m.erase(m.begin() + kXWingHead);
         m.insert(m.begin() + kXWingHead, size.begin(), size.end());
       },
       SealedError::not_authentic},
      {"chunk past the end",
       [](Buffer& m) {
         m[kXWingHead] = 0x7f;
         m[kXWingHead + 1] = 0xff;
       },
       SealedError::truncated},
      {"chunk past the limit",
       [](Buffer& m) {
         for (size_t i = 0; i < 8; ++i) m[kXWingHead + i] = 0xff;
       },
       SealedError::too_large},
      {"last chunk past the limit",
       [](Buffer& m) { m.resize(kXWingHead + 1 + kMaxChunkBytes + kTag + 1); },
       SealedError::too_large},
      {"message past the limit", [](Buffer& m) { m.resize(kMaxMessageBytes + 1); },
       SealedError::too_large},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    TestPeers peers;
    Buffer message = peers.seal("text").message;
    Buffer good = message;
    c.spoil(message);
    const auto opened = peers.open(message);
    ASSERT_FALSE(opened);
    EXPECT_EQ(name(opened.error()), name(c.want));
    EXPECT_TRUE(peers.open(good));  // a refused message takes nothing from the true one
  }
}

TEST(HostileRequest, X25519AloneOnlyInsideAttestedTls) {
  TestPeers peers;
  const auto sealed = peers.seal("text", KemKind::x25519);
  EXPECT_EQ(peers.open(sealed.message, Carrier::open).error(), SealedError::kem_not_allowed);
  EXPECT_TRUE(peers.open(sealed.message, Carrier::attested_tls));
}

TEST(HostileRequest, AReplayIsRefusedForAsLongAsTheKeyLives) {
  TestPeers peers;
  const auto sealed = peers.seal("text");
  ASSERT_TRUE(peers.open(sealed.message));
  EXPECT_EQ(peers.open(sealed.message).error(), SealedError::replayed);
  peers.keys.begin(peers.random, kTestNow);
  EXPECT_EQ(peers.open(sealed.message).error(), SealedError::replayed);
  peers.keys.begin(peers.random, kTestNow);
  EXPECT_EQ(peers.open(sealed.message).error(), SealedError::unknown_key);
}

TEST(HostileRequest, AnExpiredKeyOpensNothing) {
  TestPeers peers;
  const auto sealed = peers.seal("text");
  EXPECT_EQ(peers.open(sealed.message, Carrier::open, kTestNow + kEpochLifeMs).error(),
            SealedError::unknown_key);
  EXPECT_TRUE(peers.open(sealed.message, Carrier::open, kTestNow + kEpochLifeMs - 1));
}

TEST(HostileRequest, FieldsThatDisagreeWithTheMessage) {
  TestPeers peers;
  Profile other_config = peers.profile(), other_instance = peers.profile();
  other_config.key_config_sha256[0] ^= 1;
  other_instance.instance[0] ^= 1;
  EXPECT_EQ(peers.open(peers.seal(other_config, "x").message).error(),
            SealedError::wrong_key_config);
  EXPECT_EQ(peers.open(peers.seal(other_instance, "x").message).error(),
            SealedError::wrong_instance);
}

// Chunks of one message: offsets of each with its length, from after the encapsulated key.
std::vector<Buffer> split(const Buffer& message) {
  std::vector<Buffer> out;
  ByteReader r(Bytes(message).subspan(kXWingHead));
  while (!r.done()) {
    const Bytes rest = r.rest();
    const auto size = *read_varint(r);
    if (size == 0) (void)r.take(r.remaining());
    if (size != 0) (void)r.take(size);
    out.push_back(to_buffer(rest.first(rest.size() - r.remaining())));
  }
  return out;
}

TEST(HostileRequest, ChunksThatAreMovedDroppedDoubledOrSpliced) {
  TestPeers peers;
  const std::string content(200'000, 'x');
  const Buffer one = peers.seal(content).message, other = peers.seal(content).message;
  const auto chunks = split(one), others = split(other);
  ASSERT_GE(chunks.size(), 4u);
  using Order = std::vector<const Buffer*>;
  const Buffer *a = &chunks[0], *b = &chunks[1], *c = &chunks[2], *d = &chunks[3];
  struct Case {
    const char* name;
    Order order;
    SealedError want;
  };
  const Case cases[] = {
      {"swapped", {b, a, c, d}, SealedError::not_authentic},
      {"doubled", {a, a, b, c, d}, SealedError::not_authentic},
      {"dropped", {a, c, d}, SealedError::not_authentic},
      {"first dropped", {b, c, d}, SealedError::not_authentic},
      {"last dropped", {a, b, c}, SealedError::truncated},
      {"spliced", {a, &others[1], c, d}, SealedError::not_authentic},
      {"last spliced", {a, b, c, &others[3]}, SealedError::not_authentic},
      {"last too early", {a, d}, SealedError::not_authentic},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    Buffer message(one.begin(), one.begin() + kXWingHead);
    for (const Buffer* chunk : each.order) {
      message.insert(message.end(), chunk->begin(), chunk->end());
    }
    const auto opened = peers.open(message);
    ASSERT_FALSE(opened);
    EXPECT_EQ(name(opened.error()), name(each.want));
  }
  EXPECT_TRUE(peers.open(one));
}

// What a user may write who has the key and does not keep to the format.
class HandMade {
 public:
  explicit HandMade(TestPeers& peers) {
    const Buffer any = peers.seal("x").message;
    message_.assign(any.begin(), any.begin() + 7);
    ByteWriter info;
    info.text("message/bhttp chunked request").u8(0).bytes(message_);
    sender_.emplace(*crypto::HpkeSender::setup(KemKind::x_wing, kAead, peers.config().x_wing,
                                               info.view(), peers.random));
    const Bytes encapsulated = sender_->encapsulated();
    message_.insert(message_.end(), encapsulated.begin(), encapsulated.end());
  }
  HandMade& chunk(Bytes plaintext, bool last) {
    write_varint(message_, last ? 0 : plaintext.size() + kTag);
    message_.resize(message_.size() + plaintext.size() + kTag);
    sender_->seal(last ? as_bytes("final") : Bytes(), plaintext,
                  std::span(message_).last(plaintext.size() + kTag));
    return *this;
  }
  const Buffer& message() const { return message_; }

 private:
  Buffer message_;
  std::optional<crypto::HpkeSender> sender_;
};

TEST(HostileRequest, TooManyChunks) {
  TestPeers peers;
  HandMade made(peers);
  for (size_t i = 0; i < kMaxRequestChunks; ++i) made.chunk(as_bytes("x"), false);
  EXPECT_EQ(peers.open(made.message()).error(), SealedError::too_many_chunks);
}

TEST(HostileRequest, ContentThatDisagreesWithItself) {
  TestPeers peers;
  const std::string here = to_hex(peers.keys.instance());
  const auto opened = [&](const BinaryRequest& request) {
    return peers.open(HandMade(peers).chunk(encode_request(request), true).message());
  };
  const auto fields = encode_profile(peers.profile());
  ASSERT_TRUE(opened({here, "/", fields, {}}));
  EXPECT_EQ(opened({std::string(64, '0'), "/", fields, {}}).error(), SealedError::wrong_instance);
  Profile elsewhere = peers.profile();
  elsewhere.instance[0] ^= 1;
  EXPECT_EQ(opened({here, "/", encode_profile(elsewhere), {}}).error(),
            SealedError::wrong_instance);
  EXPECT_EQ(opened({here, "/", {}, {}}).error(), SealedError::profile_malformed);
  EXPECT_EQ(peers.open(HandMade(peers).chunk(as_bytes("no HTTP"), true).message()).error(),
            SealedError::inner_malformed);
}

TEST(HostileRequest, WhatCannotBeRememberedIsNotOpened) {
  TestPeers peers;
  const auto sealed = peers.seal("text");
  auto& opened = peers.keys.find(sealed.message[0], kTestNow)->opened;
  for (size_t i = 0; i < kMaxRemembered; ++i) {
    opened.insert(*to_fixed<32>(ByteWriter().u64_be(i).zeros(24).take()));
  }
  EXPECT_EQ(peers.open(sealed.message).error(), SealedError::replay_set_full);
  opened.erase(Hash32{});
  EXPECT_TRUE(peers.open(sealed.message));
}

// --- hostile answers ---

struct Conversation {
  explicit Conversation(uint64_t seed = 1, size_t answer_bytes = 1000)
      : peers(seed), request(peers.seal("text")) {
    auto opened = peers.open(request.message);
    text = std::string(answer_bytes, 'a');
    chunks = seal_answer(opened->answer, Padding::standard, text);
  }
  Result<std::string> open(const std::vector<Buffer>& answer) const {
    return open_answer(request.answer, joined(answer));
  }
  TestPeers peers;
  SealedRequest request;
  std::string text;
  std::vector<Buffer> chunks;
};

TEST(HostileAnswer, CutAnywhereItIsNoAnswer) {
  const Conversation talk;
  ASSERT_EQ(*talk.open(talk.chunks), talk.text);
  const Buffer whole = joined(talk.chunks);
  const size_t last = whole.size() - talk.chunks.back().size();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto got = open_answer(talk.request.answer, Bytes(whole).first(size));
    ASSERT_FALSE(got);
    // After the mark of the last chunk there is only its tag to tell.
    EXPECT_EQ(got.error(), size <= last ? SealedError::truncated : SealedError::not_authentic);
  }
}

TEST(HostileAnswer, HoweverTheTransportCutsItTheAnswerComesBack) {
  const Conversation talk;
  const Buffer whole = joined(talk.chunks);
  for (size_t step :
       {size_t{1}, size_t{3}, size_t{31}, size_t{32}, size_t{33}, size_t{273}, size_t{1000}}) {
    AnswerOpener opener(talk.request.answer);
    SecretBuffer data;
    for (size_t at = 0; at < whole.size(); at += step) {
      const Bytes part = Bytes(whole).subspan(at, std::min(step, whole.size() - at));
      ASSERT_TRUE(opener.feed(part, data));
    }
    ASSERT_TRUE(opener.end(data));
    EXPECT_EQ(as_text(data), talk.text);
  }
}

TEST(HostileAnswer, ChunksThatAreMovedDroppedDoubledSplicedOrAppended) {
  const Conversation talk(1), other(2);
  ASSERT_GE(talk.chunks.size(), 4u);
  struct Case {
    const char* name;
    void (*spoil)(std::vector<Buffer>&, const std::vector<Buffer>& other);
  };
  using Chunks = std::vector<Buffer>;
  const Case cases[] = {
      {"swapped", [](Chunks& c, const Chunks&) { std::swap(c[1], c[2]); }},
      {"doubled", [](Chunks& c, const Chunks&) { c.insert(c.begin() + 1, c[1]); }},
      {"dropped", [](Chunks& c, const Chunks&) { c.erase(c.begin() + 1); }},
      {"spliced", [](Chunks& c, const Chunks& o) { c[1] = o[1]; }},
      {"another's whole", [](Chunks& c, const Chunks& o) { c = o; }},
      {"appended", [](Chunks& c, const Chunks&) { c.push_back({0}); }},
      {"an end after the end", [](Chunks& c, const Chunks&) { c.push_back(c.back()); }},
      {"other nonce", [](Chunks& c, const Chunks&) { c[0][0] ^= 1; }},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    auto chunks = talk.chunks;
    each.spoil(chunks, other.chunks);
    const auto got = talk.open(chunks);
    ASSERT_FALSE(got);
    EXPECT_EQ(name(got.error()), name(SealedError::not_authentic));
  }
}

// What the user sealed, sent back, is no answer: its keys are others.
TEST(HostileAnswer, AReflectedRequestIsNoAnswer) {
  const Conversation talk;
  EXPECT_FALSE(open_answer(talk.request.answer, talk.request.message));
  EXPECT_FALSE(open_answer(talk.request.answer, Bytes(talk.request.message).subspan(kXWingHead)));
}

TEST(HostileAnswer, SizesPastTheLimits) {
  const Conversation talk;
  Buffer large(talk.chunks[0].begin(), talk.chunks[0].begin() + kResponseNonceBytes);
  Buffer endless = large;
  write_varint(large, kMaxChunkBytes + kTag + 1);
  EXPECT_EQ(open_answer(talk.request.answer, large).error(), SealedError::too_large);
  endless.push_back(0);
  endless.resize(endless.size() + kMaxChunkBytes + kTag + 1);
  EXPECT_EQ(open_answer(talk.request.answer, endless).error(), SealedError::too_large);
}

// What an instance may write that does not keep to the format.
using Chunks = std::vector<std::pair<SecretBuffer, bool>>;
Result<std::string> answered(const Chunks& chunks) {
  TestPeers peers;
  const auto request = peers.seal("text");
  auto opened = peers.open(request.message);
  Buffer answer;
  for (const auto& [plaintext, last] : chunks) opened->answer.seal({plaintext, last}, answer);
  return open_answer(request.answer, answer);
}

SecretBuffer with_content(SecretBuffer out, Bytes content) {
  encode_content(content, out);
  return out;
}

SecretBuffer ended(SecretBuffer out) {
  encode_answer_end(out);
  return out;
}

TEST(HostileAnswer, ContentThatIsNotWhole) {
  const Buffer cell = {0, 1, 0, 0, 'x'}, part = {0, 2, 0, 0, 'x'};
  const auto head = encode_answer_head(200);
  EXPECT_EQ(*answered({{ended(with_content(head, cell)), true}}), "x");
  EXPECT_EQ(answered({{with_content(head, cell), true}}).error(), SealedError::inner_malformed);
  EXPECT_EQ(answered({{ended(with_content(head, part)), true}}).error(),
            SealedError::inner_malformed);
  EXPECT_EQ(answered({{ended(encode_answer_head(500)), true}}).error(),
            SealedError::answer_refused);
}

TEST(HostileAnswer, ThatGoesOnForEver) {
  const SecretBuffer large(kMaxChunkBytes);  // padding after the end
  Chunks chunks = {{ended(encode_answer_head(200)), false}};
  for (size_t i = 0; i <= kMaxMessageBytes / kMaxChunkBytes; ++i) chunks.emplace_back(large, false);
  EXPECT_EQ(answered(chunks).error(), SealedError::too_large);
  chunks.resize(1);
  for (size_t i = 0; i < kMaxAnswerChunks; ++i) chunks.emplace_back(SecretBuffer(1), false);
  EXPECT_EQ(answered(chunks).error(), SealedError::too_many_chunks);
}

// --- mutations ---

// In `make test` a tenth of them; CLOISTER_MUTATIONS says how many.
size_t mutations() {
  const char* text = std::getenv("CLOISTER_MUTATIONS");
  return text ? std::strtoul(text, nullptr, 10) : 10'000;
}

// One to three changes of bits, bytes, lengths or order; never none.
Buffer mutate(const Buffer& message, SeededRandom& random) {
  auto draw = [&](size_t below) {
    const auto bytes = random.fixed<8>();
    return static_cast<size_t>(*ByteReader(bytes).u64_le() % below);
  };
  Buffer out = message;
  while (out == message) {
    for (size_t i = 0, changes = 1 + draw(3); i < changes && !out.empty(); ++i) {
      const size_t at = draw(out.size());
      switch (draw(6)) {
        case 0:
          out[at] ^= static_cast<uint8_t>(1 << draw(8));
          break;
        case 1:
          out[at] = static_cast<uint8_t>(draw(256));
          break;
        case 2:
          out.resize(at);
          break;
        case 3:
          out.insert(out.begin() + static_cast<ptrdiff_t>(at), static_cast<uint8_t>(draw(256)));
          break;
        case 4:
          out.erase(out.begin() + static_cast<ptrdiff_t>(at));
          break;
        default:
          std::swap(out[at], out[draw(out.size())]);
          break;
      }
    }
  }
  return out;
}

TEST(Mutations, NoneOfManyIsAccepted) {
  TestPeers peers;
  SeededRandom random(20);
  const Buffer small = peers.seal("some text").message;
  const Buffer plain = peers.seal("some text", KemKind::x25519).message;
  const Conversation talk(3, 600);
  const Buffer answer = joined(talk.chunks);
  std::map<SealedError, size_t> seen;
  for (size_t i = 0; i < mutations(); ++i) {
    const Buffer& request = i % 4 == 0 ? small : plain;
    const auto opened = peers.open(mutate(request, random), Carrier::attested_tls);
    ASSERT_FALSE(opened) << i;
    ++seen[opened.error()];
    const auto read = open_answer(talk.request.answer, mutate(answer, random));
    ASSERT_FALSE(read) << i;
    ++seen[read.error()];
  }
  EXPECT_TRUE(peers.open(small) && peers.open(plain, Carrier::attested_tls));
  EXPECT_GE(seen.size(), 6u);  // the mutations reach more than one check
}

}  // namespace
}  // namespace cloister::sealed
