// Asks the machine that this program runs on for evidence about itself. What comes back is as good
// as any other evidence: the verifiers decide.
#pragma once

#include <expected>

#include "evidence/common/evidence.h"

namespace cloister::evidence::collect {

enum class CollectError : uint8_t {
  not_available = 1,  // the machine has not this interface
  no_permission,      // it has, and this process may not use it
  busy,               // another process asked at the same time, three times in a row
  refused,            // the interface answered with an error; `detail` has it
  bad_answer,         // an answer that is none: empty, too large, of another provider
};
std::string_view name(CollectError error);      // "not_available"
std::string_view describe(CollectError error);  // one sentence

struct CollectFault {
  CollectError error;
  std::string detail;  // the file or call, and what was seen
};
template <typename T>
using Collected = std::expected<T, CollectFault>;

struct GuestEvidence {
  Evidence evidence;
  Buffer auxiliary;  // what the host added: SNP's certificate table (GHCB, 4.1.8); else empty
};

using ReportData = Fixed<64>;

inline std::unexpected<CollectFault> fault(CollectError error, std::string detail) {
  return std::unexpected(CollectFault{error, std::move(detail)});
}
CollectError error_of(int errno_value);  // of a system call that failed

}  // namespace cloister::evidence::collect
