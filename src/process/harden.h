// What a process that handles keys and users' text does first.
#pragma once

namespace cloister::process {

// No core files, and no other process of this user may read our memory. Afterwards /proc/self
// belongs to root: measure the own program before.
void harden();

}  // namespace cloister::process
