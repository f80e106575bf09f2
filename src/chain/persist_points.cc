#include "chain/persist_points.h"

#include <atomic>

namespace cloister::chain {

namespace {
std::atomic<void (*)(PersistPoint)> test_hook = nullptr;
}  // namespace

void reach(PersistPoint point) {
  if (auto* const hook = test_hook.load()) hook(point);
}

void on_persist_points_for_testing(void (*hook)(PersistPoint)) {
  test_hook = hook;
}

}  // namespace cloister::chain
