// Logarithm and exponential in integers: bit-equal with every compiler, library and CPU, which no
// libm promises. A verifier on another machine must reach the same token.
#pragma once

#include <cstdint>

namespace cloister::inference {

// Fixed-point numbers by their count of fraction bits. Fixed32 is what scores and logits are added
// in.
using Fixed32 = int64_t;
using Fixed48 = uint64_t;
constexpr int64_t kOneFixed32 = int64_t{1} << 32;

// log2(value / 2^64) negated, for value >= 1: in (0, 64], rounded to 48 fraction bits.
Fixed48 negative_log2(uint64_t value);

// Standard Gumbel noise -ln(-ln(u)) from a uniform 64-bit number; in about [-3.8, 33.3].
Fixed32 gumbel(uint64_t uniform);

// e^-x as a fraction of 2^32, for x >= 0; 0 where it is below 2^-32.
uint64_t exp_negative(Fixed32 x);

}  // namespace cloister::inference
