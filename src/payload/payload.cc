#include "payload/payload.h"

#include <bit>

namespace cloister::payload {
namespace {

std::unexpected<PayloadError> refuse(PayloadError error) {
  return std::unexpected(error);
}

uint8_t bucket_of(size_t size_bytes) {
  return static_cast<uint8_t>(std::bit_width(size_bytes - 1));
}

Answer<Buffer> fetch(const ledger::Reference& reference, uint64_t max_bytes) {
  const auto address = blob::HttpAddress::parse(reference.uri);
  if (!address || address->sha256 != reference.sha256) co_return refuse(PayloadError::malformed);
  Buffer out;
  const auto sink = [&out](Bytes more) {
    out.insert(out.end(), more.begin(), more.end());
    return true;
  };
  blob::Transfer limits;
  limits.max_bytes = std::min(max_bytes, uint64_t{1} << reference.size_bucket);
  const auto got = co_await blob::get(*address, sink, limits);
  if (!got) co_return refuse(PayloadError::unavailable);
  co_return out;
}

}  // namespace

std::string_view describe(PayloadError error) {
  switch (error) {
    case PayloadError::no_store:
      return "it is too large for the ledger, and there is no blob server to take it";
    case PayloadError::not_stored:
      return "the blob server did not take it";
    case PayloadError::malformed:
      return "the ledger's record names nothing that can be fetched";
    case PayloadError::too_large:
      return "it is larger than the limit";
    case PayloadError::unavailable:
      return "the blob server does not hand out what the ledger names";
  }
  std::abort();
}

Answer<ledger::Payload> put(Buffer sealed, std::optional<Store> store) {
  ledger::Payload out;
  if (sealed.size() <= ledger::kMaxInlineBytes) {
    out.inline_bytes = std::move(sealed);
    co_return out;
  }
  if (!store) co_return refuse(PayloadError::no_store);
  const auto address = co_await blob::put(store->host, store->port, sealed);
  if (!address) co_return refuse(PayloadError::not_stored);
  ledger::Reference reference;
  reference.sha256 = address->sha256;
  reference.size_bucket = bucket_of(sealed.size());
  reference.uri = address->uri();
  out.reference = std::move(reference);
  co_return out;
}

Answer<Buffer> get(ledger::Payload payload, uint64_t max_bytes) {
  if (!ledger::valid(payload)) co_return refuse(PayloadError::malformed);
  if (!payload.reference) {
    if (payload.inline_bytes.size() > max_bytes) co_return refuse(PayloadError::too_large);
    co_return std::move(payload.inline_bytes);
  }
  // A bucket is at most twice what it holds.
  const uint64_t most = uint64_t{1} << payload.reference->size_bucket;
  if (most / 2 >= max_bytes) co_return refuse(PayloadError::too_large);
  co_return co_await fetch(*payload.reference, max_bytes);
}

}  // namespace cloister::payload
