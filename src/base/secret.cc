#include "base/secret.h"

#include <cstring>

namespace cloister {

void wipe(void* data, size_t size_bytes) {
  if (size_bytes != 0) explicit_bzero(data, size_bytes);
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace cloister
