// Gives buffers with known lifetimes their offsets in one arena.
#pragma once

#include <cstdint>
#include <vector>

namespace hearth {

// Live from step `first` to step `last`, both included.
struct BufferLifetime {
  int first = 0, last = 0;
  int64_t bytes = 0;
};

struct BufferLayout {
  std::vector<int64_t> offsets;  // one per buffer, multiples of kBufferAlignment
  int64_t arena_bytes = 0;
};

inline constexpr int64_t kBufferAlignment = 64;  // a cache line, and the widest vector

// Buffers whose lifetimes meet never overlap. Deterministic.
BufferLayout place_buffers(const std::vector<BufferLifetime>& buffers);

}  // namespace hearth
