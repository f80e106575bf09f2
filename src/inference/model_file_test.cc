#include "inference/model_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "crypto/hash.h"
#include "inference/default_model.h"
#include "inference/gguf_testing.h"

namespace cloister::inference {
namespace {

class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cloister-model-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ / "tiny.gguf";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const Buffer& bytes) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  static Hash32 root_of(const GgufDraft& draft) {
    const Buffer file = write_gguf(draft);
    return model_root(parse_gguf(file).value());
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(ModelFileTest, LoadsTheOneThatWasAgreedOn) {
  const Buffer bytes = write_gguf(small_model());
  write(bytes);
  const ExpectedModel expected{crypto::sha256(bytes), root_of(small_model())};
  const auto got = load_model_file(path_, expected);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->info().name, "tiny");
  EXPECT_EQ(got->info().model_root, expected.model_root);
  EXPECT_EQ(got->info().file_sha256, expected.file_sha256);
  EXPECT_EQ(to_buffer(got->bytes()), bytes);
}

TEST_F(ModelFileTest, NamesWhatWasExpectedAndFoundWhenItRefuses) {
  const Buffer bytes = write_gguf(small_model());
  const Hash32 sha256 = crypto::sha256(bytes);
  const ExpectedModel good{sha256, root_of(small_model())};
  const auto missing = load_model_file(path_, good);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error, EngineError::model_missing);
  EXPECT_NE(missing.error().message().find(to_hex(sha256)), std::string::npos);

  write(bytes);
  ExpectedModel other = good;
  other.file_sha256[0] ^= 1;
  const auto wrong_file = load_model_file(path_, other);
  ASSERT_FALSE(wrong_file);
  EXPECT_EQ(wrong_file.error().error, EngineError::model_mismatch);
  EXPECT_NE(wrong_file.error().detail.find(to_hex(other.file_sha256)), std::string::npos);
  EXPECT_NE(wrong_file.error().detail.find(to_hex(sha256)), std::string::npos);

  other = good;
  other.model_root[0] ^= 1;
  const auto wrong_root = load_model_file(path_, other);
  ASSERT_FALSE(wrong_root);
  EXPECT_EQ(wrong_root.error().error, EngineError::model_mismatch);
  EXPECT_NE(wrong_root.error().detail.find(to_hex(good.model_root)), std::string::npos);
}

TEST_F(ModelFileTest, RefusesWhatCannotServeAConversation) {
  GgufDraft draft = small_model();
  draft.keys.erase(draft.keys.begin() + 5);  // the chat template
  write(write_gguf(draft));
  const auto got = read_model_file(path_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().error, EngineError::model_unsupported);
  write({1, 2, 3});
  EXPECT_EQ(read_model_file(path_).error().error, EngineError::model_malformed);
  EXPECT_EQ(read_model_file(folder_).error().error, EngineError::model_unreadable);
}

TEST_F(ModelFileTest, TheRootChangesWithEverythingThatMakesTheModel) {
  const Hash32 root = root_of(small_model());
  EXPECT_EQ(to_hex(root),  // reference_vectors.py
            "189c9c622e2808a5190ba3785adec2d2a87a5b623d1b83ff5fccee2be7b0192f");
  struct Case {
    const char* name;
    void (*change)(GgufDraft&);
  };
  const Case cases[] = {
      {"one weight", [](GgufDraft& d) { d.tensors[1].data[39] ^= 1; }},
      {"a tensor's name", [](GgufDraft& d) { d.tensors[1].name = "out.weighs"; }},
      {"a shape of the same size", [](GgufDraft& d) { d.tensors[1].shape = {64}; }},
      {"a type of the same size",
       [](GgufDraft& d) {
         d.tensors[0].type = 1;
         d.tensors[0].shape = {6};
       }},
      {"the order of tensors", [](GgufDraft& d) { std::swap(d.tensors[0], d.tensors[1]); }},
      {"the template", [](GgufDraft& d) { d.keys[5].value = gguf_string("{{ message }}"); }},
      {"the tokenizer",
       [](GgufDraft& d) {
         d.keys[6].value = ByteWriter()
                               .u32_le(8)
                               .u64_le(2)
                               .bytes(gguf_string("a"))
                               .bytes(gguf_string("bd"))
                               .take();
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    GgufDraft draft = small_model();
    c.change(draft);
    EXPECT_NE(root_of(draft), root);
  }
}

TEST(DefaultModel, HasTheHashesThatAreCompiledIn) {
  const auto path = default_model_path();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no default model: run scripts/fetch_model";
  const auto got = load_model_file(path, default_model());
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->info().quantization, "Q4_1");
  EXPECT_EQ(got->info().licence, "apache-2.0");
}

}  // namespace
}  // namespace cloister::inference
