#include "gateway/openai.h"

#include <gtest/gtest.h>

namespace cloister::gateway {
namespace {

std::expected<ChatRequest, ApiError> parse(std::string_view text) {
  return parse_chat_request(as_bytes(text));
}

std::string with(std::string_view more) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + std::string(more) + "}";
}

TEST(ParseChat, TakesTheOrdinaryRequest) {
  auto got = parse(R"({"model":"m","messages":[{"role":"developer","content":"be brief"},
      {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],
      "temperature":0.5,"top_p":0.9,"seed":7,"max_tokens":16,"stop":["x","y"],"stream":true,
      "stream_options":{"include_usage":true,"other":1},"store":false,"user":"u","unknown":1,
      "n":1,"tools":[],"frequency_penalty":0,"response_format":{"type":"text"}})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->messages[0].role, inference::Role::system);
  EXPECT_EQ(got->messages[1].content.reveal(), "ab");
  EXPECT_EQ(got->sampler.temperature_micro, 500'000u);
  EXPECT_EQ(got->sampler.top_p_micro, 900'000u);
  EXPECT_TRUE(got->seed_given);
  EXPECT_EQ(got->max_tokens, 16u);
  EXPECT_EQ(got->stops.size(), 2u);
  EXPECT_TRUE(got->stream);
  EXPECT_TRUE(got->include_usage);
}

TEST(ParseChat, TinyTemperatureMeansTheLikeliestToken) {
  EXPECT_EQ(parse(with(R"(,"temperature":0.0001)"))->sampler.temperature_micro, 0u);
}

TEST(ParseChat, EachFaultHasItsCodeAndNamesItsField) {
  struct Case {
    const char* name;
    std::string body;
    ApiCode code;
    const char* param;
  };
  const Case cases[] = {
      {"not JSON", "{", ApiCode::invalid_json, ""},
      {"duplicate model", with(R"(,"model":"n")"), ApiCode::invalid_json, ""},
      {"not an object", "[]", ApiCode::invalid_request, ""},
      {"no model", R"({"messages":[{"role":"user","content":"x"}]})", ApiCode::invalid_request,
       "model"},
      {"no messages", R"({"model":"m","messages":[]})", ApiCode::invalid_request, "messages"},
      {"odd role", R"({"model":"m","messages":[{"role":"tool","content":"x"}]})",
       ApiCode::unsupported_parameter, "messages"},
      {"no content", R"({"model":"m","messages":[{"role":"user"}]})", ApiCode::invalid_request,
       "messages"},
      {"image by URL",
       R"({"model":"m","messages":[{"role":"user",)"
       R"("content":[{"type":"image_url","image_url":{}}]}]})",
       ApiCode::unsupported_parameter, "messages"},
      {"hot", with(R"(,"temperature":2.1)"), ApiCode::invalid_request, "temperature"},
      {"negative", with(R"(,"temperature":-1)"), ApiCode::invalid_request, "temperature"},
      {"text number", with(R"(,"temperature":"1")"), ApiCode::invalid_request, "temperature"},
      {"top_p zero", with(R"(,"top_p":0)"), ApiCode::invalid_request, "top_p"},
      {"seed half", with(R"(,"seed":0.5)"), ApiCode::invalid_request, "seed"},
      {"no tokens", with(R"(,"max_tokens":0)"), ApiCode::invalid_request, "max_tokens"},
      {"huge", with(R"(,"max_completion_tokens":99999999999)"), ApiCode::invalid_request,
       "max_completion_tokens"},
      {"five stops", with(R"(,"stop":["a","b","c","d","e"])"), ApiCode::invalid_request, "stop"},
      {"empty stop", with(R"(,"stop":"")"), ApiCode::invalid_request, "stop"},
      {"tools", with(R"(,"tools":[{"type":"function"}])"), ApiCode::unsupported_parameter, "tools"},
      {"two answers", with(R"(,"n":2)"), ApiCode::unsupported_parameter, "n"},
      {"logprobs", with(R"(,"logprobs":true)"), ApiCode::unsupported_parameter, "logprobs"},
      {"schema", with(R"(,"response_format":{"type":"json_schema"})"),
       ApiCode::unsupported_parameter, "response_format"},
      {"penalty", with(R"(,"presence_penalty":0.5)"), ApiCode::unsupported_parameter,
       "presence_penalty"},
      {"stream word", with(R"(,"stream":"yes")"), ApiCode::invalid_request, "stream"},
  };
  ASSERT_TRUE(parse(with("")));
  for (const Case& c : cases) {
    auto got = parse(c.body);
    ASSERT_FALSE(got) << c.name;
    EXPECT_EQ(got.error().code, c.code) << c.name;
    EXPECT_EQ(got.error().param, c.param) << c.name;
  }
}

TEST(ParseChat, ErrorsNeverQuoteTheUser) {
  auto got = parse(R"({"model":"m","messages":[{"role":"user","content":"SECRET)");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message.find("SECRET"), std::string::npos);
}

TEST(ErrorJson, HasAllFourMembersAlways) {
  EXPECT_EQ(error_json({ApiCode::no_verified_node, "none", ""}).dump(),
            R"({"error":{"message":"none","type":"server_error",)"
            R"("param":null,"code":"no_verified_node"}})");
}

TEST(Chunks, HaveTheShapesThatClientsCheck) {
  AnswerHead head{"chatcmpl-1", 5, "m", "fp"};
  EXPECT_EQ(text_chunk(head, UserText("é\n")),
            R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"m",)"
            R"("system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"é\n"},)"
            R"("logprobs":null,"finish_reason":null}]})");
  auto usage = parse_json(usage_chunk(head, {3, 4, inference::FinishReason::stop}));
  ASSERT_TRUE(usage);
  EXPECT_TRUE((*usage)["choices"].array()->empty());
  EXPECT_EQ((*usage)["usage"]["total_tokens"].u64(), 7u);
  auto finish = parse_json(finish_chunk(head, inference::FinishReason::length));
  EXPECT_EQ((*(*finish)["choices"].array())[0]["finish_reason"].string(), "length");
  auto whole = parse_json(whole_answer(head, UserText("t"), {1, 2, inference::FinishReason::stop}));
  EXPECT_EQ((*(*whole)["choices"].array())[0]["message"]["content"].string(), "t");
}

}  // namespace
}  // namespace cloister::gateway
