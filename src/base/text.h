// Hex and base64 in both directions, and times for people. Decoders refuse anything but the
// canonical alphabet and length.
#pragma once

#include "base/bytes.h"

namespace cloister {

std::string to_hex(Bytes bytes);        // lower case
std::string to_hex_upper(Bytes bytes);  // upper case, as CometBFT's RPC prints hashes
std::optional<Buffer> from_hex(std::string_view text);  // either case, even length, no prefix

std::string to_base64(Bytes bytes);                           // RFC 4648 section 4, padded
std::optional<Buffer> from_base64(std::string_view text);     // padded; padding bits must be zero
std::string to_base64url(Bytes bytes);                        // RFC 4648 section 5, unpadded
std::optional<Buffer> from_base64url(std::string_view text);  // unpadded, spare bits must be zero

// "2025-06-21T00:00:00Z"; times before 1970 or after 9999 are printed as seconds.
std::string utc_text(int64_t unix_seconds);

template <size_t N>
std::optional<Fixed<N>> fixed_from_hex(std::string_view text) {
  if (text.size() != 2 * N) return std::nullopt;
  auto raw = from_hex(text);
  if (!raw) return std::nullopt;
  return to_fixed<N>(*raw);
}

}  // namespace cloister
