// Chooses the next token so that anyone with the logits, the parameters and the seed chooses the
// same.
//
//   1. candidates: the top_k largest logits (0: kMaxTopK; never more), ties to the lower token id
//   2. top_p:      the shortest run of the likeliest candidates whose share reaches top_p
//   3. min_p:      of these, the ones at least min_p times as likely as the likeliest
//   4. the largest logit / temperature + noise(seed, position, token), ties to the likelier
//
// At temperature 0 the largest logit wins, ties to the lowest id, and nothing else counts.
// Likelihoods of the filters are those at temperature 1. Every step after reading a logit is
// integer arithmetic; adding Gumbel noise and taking the largest draws from the softmax of what is
// left.
#pragma once

#include <span>

#include "inference/engine.h"
#include "inference/fixed_math.h"

namespace cloister::inference {

using Token = int32_t;

// Depends on nothing but its arguments: SHA-256("cloister gumbel v1" ‖ 00 ‖ seed ‖ u32 position ‖
// u32 token), whose first 8 bytes (all little-endian) are the uniform number of the Gumbel draw.
Fixed32 noise(const Fixed<32>& seed, uint32_t position, Token token);

// `position` counts the tokens of the answer from 0. `params` have passed check_request. Nothing
// when a logit is not a number or above 2^20, or when none is finite: the engine that computed them
// is broken.
std::optional<Token> choose_token(std::span<const float> logits, const SamplerParams& params,
                                  uint32_t position);

}  // namespace cloister::inference
