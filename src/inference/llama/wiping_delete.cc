// Replaces the program's operator delete by one that overwrites what it frees. The library renders
// and tokenizes prompts in plain strings of its own, which nobody else could wipe.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "base/secret.h"

namespace {

void wipe_and_free(void* memory) {
  if (memory == nullptr) return;
  cloister::wipe(memory, malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void operator delete(void* memory) noexcept {
  wipe_and_free(memory);
}
void operator delete[](void* memory) noexcept {
  wipe_and_free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  wipe_and_free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  wipe_and_free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  wipe_and_free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  wipe_and_free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  wipe_and_free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  wipe_and_free(memory);
}
