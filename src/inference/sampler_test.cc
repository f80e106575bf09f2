#include "inference/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/seams.h"

namespace cloister::inference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Fixed<32> seed_of(uint8_t first) {
  Fixed<32> seed{};
  seed[0] = first;
  return seed;
}

SamplerParams sampling(uint8_t seed) {
  SamplerParams params;
  params.seed = seed_of(seed);
  return params;
}

std::vector<float> some_logits(size_t count) {
  SeededRandom random(42);
  std::vector<float> logits(count);
  for (float& l : logits)
    l = static_cast<float>(static_cast<int64_t>(random.next() % 20'000) - 10'000) / 1000;
  return logits;
}

TEST(Noise, DependsOnSeedPositionAndTokenAndIsPinned) {
  const Fixed32 g = noise(seed_of(1), 2, 3);
  EXPECT_EQ(g, 5110298836);  // reference_vectors.py
  EXPECT_NE(noise(seed_of(2), 2, 3), g);
  EXPECT_NE(noise(seed_of(1), 3, 3), g);
  EXPECT_NE(noise(seed_of(1), 2, 4), g);
}

TEST(ChooseToken, ColdTakesTheLargestLogitAndOfEqualOnesTheLowestId) {
  SamplerParams cold;
  cold.temperature_micro = 0;
  EXPECT_EQ(choose_token(std::vector<float>{1, 3, 3, 2}, cold, 0), 1);
  EXPECT_EQ(choose_token(std::vector<float>{-kInfinity, -5}, cold, 9), 1);
  cold.top_k = 1;
  cold.min_p_micro = kOneMicro;
  EXPECT_EQ(choose_token(std::vector<float>{1, 3, 3, 2}, cold, 0), 1);
}

TEST(ChooseToken, RefusesLogitsOfABrokenEngine) {
  SamplerParams cold;
  cold.temperature_micro = 0;
  for (const SamplerParams& params : {cold, sampling(1)}) {
    EXPECT_TRUE(choose_token(std::vector<float>{1, 2}, params, 0));
    EXPECT_FALSE(choose_token(std::vector<float>{1, std::nanf("")}, params, 0));
    EXPECT_FALSE(choose_token(std::vector<float>{1, kInfinity}, params, 0));
    EXPECT_FALSE(choose_token(std::vector<float>{1, 2e6F}, params, 0));
    EXPECT_FALSE(choose_token(std::vector<float>{-kInfinity}, params, 0));
    EXPECT_FALSE(choose_token(std::vector<float>{}, params, 0));
  }
}

// From reference_vectors.py, which works with decimal numbers.
TEST(ChooseToken, FixedVectorsOfTheWholeChain) {
  const auto logits = some_logits(5000);
  struct Case {
    uint32_t temperature, top_k, top_p, min_p;
    std::vector<Token> want;
  };
  const Case cases[] = {
      {1'000'000, 0, 1'000'000, 0, {1935, 1534, 2325, 275, 3833, 1940}},
      {700'000, 40, 950'000, 50'000, {4094, 2850, 4335, 4094, 3275, 2850}},
      {2'000'000, 1024, 1'000'000, 0, {1935, 1534, 2325, 3792, 3833, 1940}},
      {1'300'000, 0, 400'000, 0, {2935, 2850, 4335, 275, 3275, 1940}},
  };
  for (const Case& c : cases) {
    SamplerParams params{c.temperature, c.top_k, c.top_p, c.min_p, seed_of(9)};
    std::vector<Token> got;
    for (uint32_t position = 0; position < 6; ++position) {
      got.push_back(choose_token(logits, params, position).value());
    }
    EXPECT_EQ(got, c.want) << c.temperature << " " << c.top_k << " " << c.top_p << " " << c.min_p;
  }
}

// The shares of a thousand draws against the softmax of what the filters leave.
TEST(ChooseToken, DrawsFromTheSoftmaxOfWhatTheFiltersLeave) {
  const std::vector<float> logits{0, std::log(2.0F), std::log(4.0F), std::log(1.0F / 8),
                                  -kInfinity};
  const auto shares = [&](SamplerParams params) {
    std::map<Token, double> out;
    constexpr int kDraws = 4000;
    for (uint32_t i = 0; i < kDraws; ++i)
      out[choose_token(logits, params, i).value()] += 1.0 / kDraws;
    return out;
  };
  const auto all = shares(sampling(3));  // 1 : 2 : 4 : 1/8
  EXPECT_NEAR(all.at(2), 4 / 7.125, 0.03);
  EXPECT_NEAR(all.at(1), 2 / 7.125, 0.03);
  EXPECT_NEAR(all.at(3), 0.125 / 7.125, 0.01);
  EXPECT_EQ(all.count(4), 0u);

  SamplerParams two = sampling(3);
  two.top_k = 2;
  EXPECT_EQ(shares(two).size(), 2u);

  SamplerParams nucleus = sampling(3);
  nucleus.top_p_micro = 600'000;  // 4/7.125 = 0.561 is too little, with 2 it is 0.842
  EXPECT_EQ(shares(nucleus).size(), 2u);
  nucleus.top_p_micro = 560'000;
  EXPECT_EQ(shares(nucleus).size(), 1u);

  SamplerParams floor = sampling(3);
  floor.min_p_micro = 240'000;  // a quarter of the likeliest stays, a 32nd does not
  EXPECT_EQ(shares(floor).size(), 3u);
  floor.min_p_micro = 260'000;
  EXPECT_EQ(shares(floor).size(), 2u);

  SamplerParams cool = sampling(3);
  cool.temperature_micro = 500'000;  // 1 : 4 : 16 : 1/64
  EXPECT_NEAR(shares(cool).at(2), 16 / 21.0156, 0.03);
}

TEST(ChooseToken, KeepsEqualLogitsByTheLowerIdWhenTopKCutsBetweenThem) {
  SamplerParams params = sampling(5);
  params.top_k = 2;
  const std::vector<float> logits{1, 1, 1, 1};
  for (uint32_t i = 0; i < 200; ++i) EXPECT_LT(choose_token(logits, params, i).value(), 2);
}

}  // namespace
}  // namespace cloister::inference
