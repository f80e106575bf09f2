// The record of an appraisal under way: what was looked at, in order, and the first thing that
// failed.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

class CheckList {
 public:
  explicit CheckList(Appraisal& appraisal) : appraisal_(appraisal) {}

  // Records one check. When it fails, the verdict is `error` and the caller stops; returns `ok`.
  [[nodiscard]] bool require(std::string_view name, bool ok, Error error, std::string expected,
                             std::string found);

 private:
  Appraisal& appraisal_;
};

}  // namespace cloister::evidence
