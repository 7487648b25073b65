// Named moments at which a crash is interesting. In production a relaxed load of a null pointer; the crash tests set a
// hook that counts the moments and kills the process at the chosen one.
#pragma once

#include <atomic>

namespace hearth::store {

using KillPointHook = void (*)(const char* name);
inline std::atomic<KillPointHook> kill_point_hook = nullptr;

inline void kill_point(const char* name) {
  if (KillPointHook hook = kill_point_hook.load(std::memory_order_relaxed)) [[unlikely]]
    hook(name);
}

}  // namespace hearth::store
