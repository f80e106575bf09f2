#include "inference/gguf.h"

#include <gtest/gtest.h>

#include "inference/gguf_testing.h"

namespace cloister::inference {
namespace {

TEST(ParseGguf, ReadsWhatAModelSaysAboutItself) {
  const Buffer file = write_gguf(small_model());
  const auto got = parse_gguf(file);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->name, "tiny");
  EXPECT_EQ(got->licence, "apache-2.0");
  EXPECT_EQ(got->quantization, "Q4_1");
  EXPECT_EQ(got->context_tokens, 64u);
  EXPECT_TRUE(got->has_chat_template);
  ASSERT_EQ(got->tensors.size(), 2u);
  EXPECT_EQ(got->tensors[1].name, "out.weight");
  EXPECT_EQ(got->tensors[1].shape, (std::vector<uint64_t>{32, 2}));
  EXPECT_EQ(to_buffer(got->tensors[1].data), Buffer(40, 0x22));
}

TEST(ParseGguf, TheLastTensorsPaddingMayBeMissing) {
  Buffer file = write_gguf(small_model());
  file.resize(file.size() - 24);  // 40 bytes of data in 64
  EXPECT_TRUE(parse_gguf(file));
  file.pop_back();
  EXPECT_FALSE(parse_gguf(file));
}

TEST(ParseGguf, EveryTruncationAndEveryTrailingByteIsRefused) {
  const Buffer file = write_gguf(small_model());
  for (size_t size = 0; size < file.size(); ++size) {
    if (size == file.size() - 24) continue;  // without the last padding, see above
    EXPECT_FALSE(parse_gguf(Bytes(file).first(size))) << size;
  }
  Buffer longer = file;
  longer.push_back(0);
  EXPECT_FALSE(parse_gguf(longer));
}

TEST(ParseGguf, EachSingleFaultIsRefused) {
  struct Case {
    const char* name;
    void (*spoil)(GgufDraft&);
    EngineError want = EngineError::model_malformed;
  };
  const Case cases[] = {
      {"version 2", [](GgufDraft& d) { d.version = 2; }},
      {"more tensors claimed", [](GgufDraft& d) { d.claimed_tensors = 3; }},
      {"too many tensors", [](GgufDraft& d) { d.claimed_tensors = kMaxTensors + 1; }},
      {"more keys claimed", [](GgufDraft& d) { d.claimed_keys = 10; }},
      {"too many keys", [](GgufDraft& d) { d.claimed_keys = uint64_t{1} << 63; }},
      {"key twice", [](GgufDraft& d) { d.keys.push_back(d.keys[0]); }},
      {"empty key", [](GgufDraft& d) { d.keys[0].key = ""; }},
      {"long key", [](GgufDraft& d) { d.keys[0].key = std::string(kMaxKeyBytes + 1, 'k'); }},
      {"unknown value type", [](GgufDraft& d) { d.keys[0].type = 13; }},
      {"bool of two", [](GgufDraft& d) { d.keys[8].value = {2}; }},
      {"string past the end",
       [](GgufDraft& d) { d.keys[1].value = ByteWriter().u64_le(~0ULL).take(); }},
      {"array of arrays",
       [](GgufDraft& d) { d.keys[7].value = ByteWriter().u32_le(9).u64_le(1).zeros(12).take(); }},
      {"array too long",
       [](GgufDraft& d) {
         d.keys[7].value = ByteWriter().u32_le(6).u64_le(kMaxArrayItems + 1).take();
       }},
      {"array length that overflows",
       [](GgufDraft& d) {
         d.keys[7].value = ByteWriter().u32_le(6).u64_le(uint64_t{1} << 62).take();
       }},
      {"alignment no power of two",
       [](GgufDraft& d) { d.keys.push_back({"general.alignment", 4, gguf_u32(48)}); }},
      {"alignment zero",
       [](GgufDraft& d) { d.keys.push_back({"general.alignment", 4, gguf_u32(0)}); }},
      {"alignment of another type",
       [](GgufDraft& d) { d.keys.push_back({"general.alignment", 8, gguf_string("32")}); }},
      {"name twice", [](GgufDraft& d) { d.tensors[1].name = d.tensors[0].name; }},
      {"long name", [](GgufDraft& d) { d.tensors[1].name = std::string(64, 'n'); }},
      {"no dimension", [](GgufDraft& d) { d.tensors[0].shape.clear(); }},
      {"five dimensions", [](GgufDraft& d) { d.tensors[0].shape = {3, 1, 1, 1, 1}; }},
      {"dimension of zero", [](GgufDraft& d) { d.tensors[0].shape = {0}; }},
      {"elements that overflow",
       [](GgufDraft& d) { d.tensors[1].shape = {uint64_t{1} << 32, uint64_t{1} << 32, 2}; }},
      {"row that splits a block", [](GgufDraft& d) { d.tensors[1].shape = {16, 4}; }},
      {"larger than the file", [](GgufDraft& d) { d.tensors[1].shape = {32, 2000}; }},
      {"overlap", [](GgufDraft& d) { d.tensors[1].offset = 0; }},
      {"gap", [](GgufDraft& d) { d.tensors[1].offset = 64; }},
      {"not aligned", [](GgufDraft& d) { d.tensors[1].offset = 12; }},
      {"offset that overflows", [](GgufDraft& d) { d.tensors[1].offset = ~0ULL - 8; }},
      {"padding with content", [](GgufDraft& d) { d.padding = 1; }},
      {"unknown tensor type", [](GgufDraft& d) { d.tensors[1].type = 4; },
       EngineError::model_unsupported},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    GgufDraft draft = small_model();
    c.spoil(draft);
    const Buffer file = write_gguf(draft);
    const auto got = parse_gguf(file);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
}

TEST(ParseGguf, FollowsAnotherAlignment) {
  GgufDraft draft = small_model();
  draft.keys.push_back({"general.alignment", 4, gguf_u32(64)});
  EXPECT_FALSE(parse_gguf(write_gguf(draft)));
  draft.alignment = 64;
  EXPECT_TRUE(parse_gguf(write_gguf(draft)));
}

}  // namespace
}  // namespace cloister::inference
