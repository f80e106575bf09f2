#include "ledger/types/jobs.h"

#include "ledger/types/codec.h"

namespace cloister::ledger {

bool valid(const Payload& payload) {
  if (!payload.reference) return !payload.inline_bytes.empty();
  return payload.inline_bytes.empty() && !payload.reference->uri.empty() &&
         payload.reference->size_bucket <= kMaxSizeBucket;
}

template struct Record<Reference>;
template struct Record<Payload>;
template struct Record<Job>;
template struct Record<SubmitJob>;
template struct Record<PostInput>;
template struct Record<PostResult>;

}  // namespace cloister::ledger
