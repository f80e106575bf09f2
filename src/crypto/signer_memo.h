// Remembering that a signature held, beside the bytes that it covers.
#pragma once

#include <mutex>

#include "base/bytes.h"

namespace cloister::crypto {

// The key under which a signature was found good, as SubjectPublicKeyInfo. A signature over fixed
// bytes holds under a key for ever, so it is a fact worth keeping. Whoever keeps one never changes
// the bytes. May be used by several threads.
class SignerMemo {
 public:
  bool holds(Bytes spki) const {
    const std::lock_guard lock(mutex_);
    return !spki_.empty() && equal(spki_, spki);
  }
  void remember(Bytes spki) {
    const std::lock_guard lock(mutex_);
    spki_ = to_buffer(spki);
  }

 private:
  mutable std::mutex mutex_;
  Buffer spki_;
};

}  // namespace cloister::crypto
