// Answers through the ledger itself: the user seals its input for the drawn instance's keys and
// posts it, the instance posts the sealed answer (paper, Figure 2). A job is a session whose
// confirmation is the input and whose settlement is the result.
#pragma once

#include "ledger/types/session_bodies.h"

namespace cloister::ledger {

// Sealed bytes that lie elsewhere. Sizes are buckets: a power of two.
struct Reference : Record<Reference> {
  Hash32 sha256{};
  uint8_t size_bucket = 0;  // at most 2^size_bucket bytes
  std::string uri;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "sha256", r.sha256);
    v(2, "size_bucket", r.size_bucket);
    v(3, "uri", r.uri, kMaxUriBytes);
  }
  bool operator==(const Reference&) const = default;
};

// Sealed bytes, here or by reference: exactly one of the two.
struct Payload : Record<Payload> {
  Buffer inline_bytes;
  std::optional<Reference> reference;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "inline_bytes", r.inline_bytes, kMaxInlineBytes);
    v(2, "reference", r.reference);
  }
  bool operator==(const Payload&) const = default;
};
bool valid(const Payload& payload);

struct Job : Record<Job> {
  SessionId id{};
  std::optional<Payload> input;
  std::optional<Payload> result;
  uint64_t due_height = 0;  // when it is forgotten; 0 while it runs

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "input", r.input);
    v(3, "result", r.result);
    v(4, "due_height", r.due_height);
  }
  bool operator==(const Job&) const = default;
};

// --- bodies -------------------------------------------------------------------------------------

// As open_session; lifetime_blocks is what the instance has from the input to the result.
struct SubmitJob : Record<SubmitJob> {
  static constexpr TxKind kKind = TxKind::submit_job;
  OpenSession session;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "session", r.session);
  }
  bool operator==(const SubmitJob&) const = default;
};

struct PostInput : Record<PostInput> {
  static constexpr TxKind kKind = TxKind::post_input;
  SessionId job{};
  InstanceId instance{};  // whose keys it is sealed for
  Payload input;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "job", r.job);
    v(2, "instance", r.instance);
    v(3, "input", r.input);
  }
  bool operator==(const PostInput&) const = default;
};

// A receipt for zero units refuses the job: the user is refunded and nobody is paid or slashed.
struct PostResult : Record<PostResult> {
  static constexpr TxKind kKind = TxKind::post_result;
  SessionId job{};
  Payload result;
  Buffer receipt;  // CBOR of SignedReceipt: what is paid

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "job", r.job);
    v(2, "result", r.result);
    v(3, "receipt", r.receipt, kMaxClaimsBytes);
  }
  bool operator==(const PostResult&) const = default;
};

}  // namespace cloister::ledger
