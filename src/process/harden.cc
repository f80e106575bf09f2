#include "process/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>

namespace cloister::process {

void harden() {
  rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) std::abort();
  if (prctl(PR_SET_DUMPABLE, 0) != 0) std::abort();
}

}  // namespace cloister::process
