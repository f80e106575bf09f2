// The sealed bytes of a job, in the record itself or at a blob server: put where they belong, and
// brought back as exactly the bytes that the record names.
#pragma once

#include "blob/http_client.h"
#include "ledger/types/jobs.h"

namespace cloister::payload {

// Where what is too large for the ledger goes. Trusted with nothing but to keep it.
struct Store {
  std::string host;
  uint16_t port = 0;
  bool operator==(const Store&) const = default;
};

enum class PayloadError : uint8_t {
  no_store = 1,     // too large for the ledger, and there is no store
  not_stored = 2,   // the store did not take it
  malformed = 3,    // neither bytes nor an address that names their hash
  too_large = 4,    // larger than the caller takes
  unavailable = 5,  // the store does not hand out what the record names
};
std::string_view describe(PayloadError error);

template <typename T>
using Answer = boost::asio::awaitable<std::expected<T, PayloadError>>;

// Inline up to ledger::kMaxInlineBytes.
Answer<ledger::Payload> put(Buffer sealed, std::optional<Store> store);
Answer<Buffer> get(ledger::Payload payload, uint64_t max_bytes);

}  // namespace cloister::payload
