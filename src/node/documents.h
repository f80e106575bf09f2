// Texts that a request names and that lie elsewhere as ciphertext: brought from this node's blob
// server, opened, and put before the last message.
#pragma once

#include "payload/payload.h"
#include "wire/messages.h"

namespace cloister::node {

constexpr uint64_t kMaxDocumentBytes = uint64_t{256} << 20;  // as ciphertext

// What is shown of a text: its beginning and its end, with a mark between them where something was
// left out; never more than `max_bytes`, and never half a character. Fed piece by piece, it keeps
// no more than that.
class Excerpt {
 public:
  explicit Excerpt(size_t max_bytes) : half_(max_bytes / 2) {}
  void feed(Bytes more);
  // Nothing when what is shown is not UTF-8.
  std::optional<UserText> take() const;

 private:
  const size_t half_;
  SecretBuffer head_;
  SecretBuffer tail_;  // a ring, whose oldest byte is at `oldest_`
  size_t oldest_ = 0;
  uint64_t dropped_ = 0;  // between the two
};

// Replaces `request.documents` by text in its last message; `max_bytes`: of all of them together.
// `malformed` when the request has no message; else document_unavailable for any failure: no server
// but `store` is ever asked.
boost::asio::awaitable<std::expected<void, wire::Refusal>> bring_documents(
    wire::Request& request, std::optional<payload::Store> store, size_t max_bytes);

}  // namespace cloister::node
