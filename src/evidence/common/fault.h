// Why a step of the procedure refused: the class, and what was seen against what was expected.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

struct Fault {
  Error error;
  std::string detail;
};

template <typename T>
using Result = std::expected<T, Fault>;

inline std::unexpected<Fault> refuse(Error error, std::string detail) {
  return std::unexpected(Fault{error, std::move(detail)});
}

}  // namespace cloister::evidence
