#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "channel/sealed/key_epochs.h"
#include "channel/sealed/padding.h"
#include "channel/sealed/varint.h"

namespace cloister::sealed {
namespace {

// RFC 9000, A.1.
TEST(Varint, TheExamplesOfTheRfc) {
  const std::pair<const char*, uint64_t> cases[] = {{"c2197c5eff14e88c", 151288809941952652},
                                                    {"9d7f3e7d", 494878333},
                                                    {"7bbd", 15293},
                                                    {"25", 37}};
  for (const auto& [hex, value] : cases) {
    const Buffer bytes = *from_hex(hex);
    ByteReader r{Bytes(bytes)};
    EXPECT_EQ(read_varint(r), value);
    EXPECT_TRUE(r.done());
    Buffer out;
    write_varint(out, value);
    EXPECT_EQ(out, bytes);
    for (size_t size = 0; size < bytes.size(); ++size) {
      ByteReader cut{Bytes(bytes).first(size)};
      EXPECT_FALSE(read_varint(cut));
    }
  }
  const Buffer longer = *from_hex("4025");
  ByteReader r{Bytes(longer)};
  EXPECT_EQ(read_varint(r), 37u);
}

BinaryRequest some_request() {
  return {"example", "/path", {{"one", "1"}, {"two", ""}}, as_bytes("text")};
}

TEST(BinaryHttp, ARequestComesBack) {
  const auto encoded = encode_request(some_request());
  const auto decoded = decode_request(encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->authority, "example");
  EXPECT_EQ(decoded->path, "/path");
  EXPECT_EQ(decoded->fields, some_request().fields);
  EXPECT_EQ(as_text(decoded->content), "text");
}

TEST(BinaryHttp, EveryTruncationIsRefusedAndOnlyZerosMayFollow) {
  auto encoded = encode_request(some_request());
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(decode_request(Bytes(encoded).first(size)).error(), SealedError::inner_malformed);
  }
  encoded.resize(encoded.size() + 100);
  EXPECT_TRUE(decode_request(encoded));
  encoded.back() = 1;
  EXPECT_EQ(decode_request(encoded).error(), SealedError::padding_malformed);
}

TEST(BinaryHttp, WhatIsNotOursIsRefused) {
  struct Case {
    const char* name;
    void (*spoil)(BinaryRequest&);
  };
  const Case cases[] = {
      {"upper case", [](BinaryRequest& r) { r.fields[0].name = "One"; }},
      {"no name", [](BinaryRequest& r) { r.fields[0].name = ""; }},
      {"line end in a value", [](BinaryRequest& r) { r.fields[0].value = "a\r\nb"; }},
      {"line end in the path", [](BinaryRequest& r) { r.path = "/\n"; }},
      {"a long value", [](BinaryRequest& r) { r.fields[0].value.assign(kMaxFieldBytes + 1, 'x'); }},
      {"many fields", [](BinaryRequest& r) { r.fields.assign(kMaxFields + 1, {"a", "b"}); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    BinaryRequest request = some_request();
    c.spoil(request);
    EXPECT_EQ(decode_request(encode_request(request)).error(), SealedError::inner_malformed);
  }
  auto other_form = encode_request(some_request());
  other_form[0] = 2;  // of indeterminate length
  EXPECT_EQ(decode_request(other_form).error(), SealedError::inner_malformed);
}

TEST(BinaryHttp, AnAnswerComesBackHoweverItIsCut) {
  SecretBuffer encoded = encode_answer_head(200);
  encode_content(as_bytes("first"), encoded);
  encode_content(as_bytes("second"), encoded);
  encode_answer_end(encoded);
  encoded.resize(encoded.size() + 7);
  for (size_t step = 1; step <= encoded.size(); ++step) {
    AnswerReader reader;
    SecretBuffer content;
    for (size_t at = 0; at < encoded.size(); at += step) {
      EXPECT_EQ(reader.ended(), false || at >= encoded.size() - 7);
      const Bytes part = Bytes(encoded).subspan(at, std::min(step, encoded.size() - at));
      ASSERT_TRUE(reader.feed(part, content));
    }
    EXPECT_TRUE(reader.ended());
    EXPECT_EQ(as_text(content), "firstsecond");
  }
}

TEST(BinaryHttp, OtherAnswersAreRefused) {
  SecretBuffer content;
  EXPECT_EQ(AnswerReader().feed(encode_answer_head(404), content).error(),
            SealedError::answer_refused);
  SecretBuffer known = encode_answer_head(200);
  known[0] = 1;
  EXPECT_EQ(AnswerReader().feed(known, content).error(), SealedError::inner_malformed);
  SecretBuffer after = encode_answer_head(200);
  encode_answer_end(after);
  after.push_back(9);
  EXPECT_EQ(AnswerReader().feed(after, content).error(), SealedError::padding_malformed);
}

Profile some_profile() {
  Profile out;
  out.chain_id = "chain";
  out.id = Hash32{1};
  out.sequence = 7;
  out.instance = Hash32{2};
  out.key_config_sha256 = Hash32{3};
  out.model_root = Hash32{4};
  out.deadline_ms = 123456789;
  out.max_units = UINT64_MAX;
  return out;
}

TEST(ProfileFields, AnyOrderComesBack) {
  for (Payer payer : {Payer::session, Payer::job}) {
    for (Padding padding : {Padding::off, Padding::standard, Padding::strict}) {
      Profile profile = some_profile();
      profile.payer = payer;
      profile.padding = padding;
      auto fields = encode_profile(profile);
      EXPECT_EQ(decode_profile(fields), profile);
      std::ranges::reverse(fields);
      EXPECT_EQ(decode_profile(fields), profile);
    }
  }
}

TEST(ProfileFields, AnyFaultIsRefused) {
  const auto good = encode_profile(some_profile());
  for (size_t i = 0; i < good.size(); ++i) {
    SCOPED_TRACE(good[i].name);
    auto missing = good, doubled = good, other = good, unreadable = good;
    missing.erase(missing.begin() + static_cast<ptrdiff_t>(i));
    doubled[(i + 1) % good.size()] = good[i];
    other[i].name += "x";
    unreadable[i].value = "";
    for (const auto& fields : {missing, doubled, other, unreadable}) {
      EXPECT_EQ(decode_profile(fields).error(), SealedError::profile_malformed);
    }
  }
  for (const char* number : {"-1", "+1", "01", "1 ", "18446744073709551616", "0x1"}) {
    auto fields = good;
    fields[2].value = number;
    EXPECT_FALSE(decode_profile(fields)) << number;
  }
  auto both = good;
  both.push_back({"job-id", both[1].value});
  EXPECT_FALSE(decode_profile(both));
  auto late = good;
  late[6].value = "9223372036854775808";
  EXPECT_FALSE(decode_profile(late));
}

TEST(KeyConfigCodec, EveryTruncationAndEveryOtherAlgorithmIsRefused) {
  SeededRandom random(1);
  KeyEpochs keys(Hash32{});
  const Buffer encoded = keys.begin(random, 0).config;
  const auto decoded = decode_key_config(encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(encode_key_config(*decoded), encoded);
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(decode_key_config(Bytes(encoded).first(size)));
  }
  Buffer longer = encoded;
  longer.push_back(0);
  EXPECT_FALSE(decode_key_config(longer));
  const size_t x_wing_bytes = 2 + 1 + 2 + 1216 + 2 + 4;
  for (size_t at : {size_t{0}, size_t{1}, size_t{3}, size_t{4}, x_wing_bytes - 5, x_wing_bytes - 4,
                    x_wing_bytes - 2, x_wing_bytes - 1, x_wing_bytes + 4, encoded.size() - 1}) {
    Buffer changed = encoded;
    changed[at] ^= 1;
    EXPECT_FALSE(decode_key_config(changed)) << at;
  }
  Buffer same_ids = encoded;
  same_ids[x_wing_bytes + 2] = same_ids[2];
  EXPECT_FALSE(decode_key_config(same_ids));
}

TEST(Padding, RequestsFallIntoBuckets) {
  const std::pair<size_t, size_t> cases[] = {
      {0, 512},       {512, 512},      {513, 1024},      {1025, 2048},        {32769, 65536},
      {65536, 65536}, {65537, 131072}, {131073, 196608}, {16 << 20, 16 << 20}};
  for (const auto& [size, bucket] : cases) EXPECT_EQ(request_bucket(size), bucket) << size;
}

// The chunks of an answer to which nothing is added after `data`.
std::vector<Pacer::Chunk> chunks_of(Padding mode, size_t data_bytes) {
  Pacer pacer(mode);
  pacer.push(Buffer(data_bytes, 'x'));
  pacer.finish();
  std::vector<Pacer::Chunk> out;
  while (auto chunk = pacer.next()) out.push_back(std::move(*chunk));
  return out;
}

Result<std::string> read_chunks(const std::vector<Pacer::Chunk>& chunks) {
  AnswerReader http;
  CellReader cells;
  SecretBuffer data;
  for (const auto& chunk : chunks) {
    SecretBuffer content;
    if (auto fed = http.feed(chunk.plaintext, content); !fed) return std::unexpected(fed.error());
    if (auto fed = cells.feed(content, data); !fed) return std::unexpected(fed.error());
  }
  if (!http.ended() || !cells.between_cells()) return std::unexpected(SealedError::truncated);
  return std::string(as_text(data));
}

TEST(Pacing, AnswersOfEverySizeComeBack) {
  for (Padding mode : {Padding::off, Padding::standard, Padding::strict}) {
    for (size_t size = 0; size < 1200; ++size) {
      const auto chunks = chunks_of(mode, size);
      EXPECT_EQ(*read_chunks(chunks), std::string(size, 'x'));
      for (size_t i = 0; i < chunks.size(); ++i) {
        EXPECT_EQ(chunks[i].last, i + 1 == chunks.size());
        ASSERT_TRUE(mode == Padding::off || chunks[i].plaintext.size() == kFrameBytes);
      }
    }
  }
  EXPECT_EQ(*read_chunks(chunks_of(Padding::off, 200'000)), std::string(200'000, 'x'));
}

TEST(Pacing, NothingGoesOutWhileThereIsNothingUnlessStrict) {
  Pacer off(Padding::off), standard(Padding::standard), strict(Padding::strict);
  EXPECT_FALSE(off.next());
  EXPECT_FALSE(standard.next());
  EXPECT_TRUE(strict.next());
  for (Pacer* pacer : {&off, &standard, &strict}) {
    pacer->push(as_bytes("piece"));
    EXPECT_TRUE(pacer->next());
  }
  EXPECT_FALSE(off.next());
  EXPECT_FALSE(standard.next());
  EXPECT_TRUE(strict.next());
}

// What an observer of sizes and ticks sees of a strict answer is the bucket's number alone.
TEST(Pacing, StrictAnswersOfOneBucketLookAlike) {
  std::vector<size_t> counts;
  for (int size : {0, 1, 250, 5000, 7000, 9000, 15'000, 40'000}) {
    counts.push_back(chunks_of(Padding::strict, static_cast<size_t>(size)).size());
  }
  EXPECT_EQ(counts, (std::vector<size_t>{32, 32, 32, 32, 32, 64, 64, 256}));
  // Also when it is the generation that takes long, not the text.
  Pacer slow(Padding::strict);
  size_t frames = 0;
  for (; frames < 40; ++frames) ASSERT_TRUE(slow.next());
  slow.push(as_bytes("late"));
  slow.finish();
  while (slow.next()) ++frames;
  EXPECT_EQ(frames, 64u);
}

TEST(Cells, FalsePaddingIsRefused) {
  SecretBuffer data;
  CellReader reader;
  EXPECT_EQ(reader.feed(Buffer{0, 1, 0, 2, 'x', 0, 1}, data).error(),
            SealedError::padding_malformed);
  CellReader cut;
  ASSERT_TRUE(cut.feed(Buffer{0, 1, 0, 2, 'x', 0}, data));
  EXPECT_FALSE(cut.between_cells());
  ASSERT_TRUE(cut.feed(Buffer{0}, data));
  EXPECT_TRUE(cut.between_cells());
}

TEST(Epochs, TwoLiveAtOnceAndOldOnesAreGone) {
  SeededRandom random(1);
  KeyEpochs keys(Hash32{});
  EXPECT_EQ(keys.newest(), nullptr);
  const auto id = [](uint64_t epoch) { return key_id_of(epoch, crypto::KemKind::x_wing); };
  keys.begin(random, 0);
  EXPECT_EQ(keys.newest()->number, 1u);
  EXPECT_TRUE(keys.find(id(1), 0));
  EXPECT_FALSE(keys.find(id(2), 0));
  keys.begin(random, 1000);
  EXPECT_TRUE(keys.find(id(1), 1000));
  EXPECT_TRUE(keys.find(id(2), 1000));
  EXPECT_FALSE(keys.find(id(1), kEpochLifeMs));  // expired, though not yet wiped
  EXPECT_TRUE(keys.find(id(2), kEpochLifeMs));
  keys.begin(random, 2000);
  EXPECT_FALSE(keys.find(id(1), 2000));
  keys.expire(kEpochLifeMs + 1000);
  EXPECT_FALSE(keys.find(id(2), 2000));
  EXPECT_TRUE(keys.find(id(3), 2000));
}

}  // namespace
}  // namespace cloister::sealed
