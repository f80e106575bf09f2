// The two kinds of TEE that DCAP attests.
#pragma once

#include <cstdint>
#include <string_view>

namespace cloister::evidence::dcap {

enum class Tee : uint8_t { sgx, tdx };

constexpr std::string_view word(Tee tee) {
  return tee == Tee::tdx ? "TDX" : "SGX";
}

}  // namespace cloister::evidence::dcap
