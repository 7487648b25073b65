// A region of memory that can grow without moving: address space is reserved once, pages are touched when used (huge
// pages asked for).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace hearth {

// Enough for the activations of any step; only what is touched becomes memory.
inline constexpr int64_t kActivationAddressSpace = int64_t{64} << 30;

class Arena {
 public:
  // Reserves address space only. resource_exhausted when the kernel refuses.
  static Result<Arena> reserve(int64_t max_bytes);
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();
  std::byte* data() const { return data_; }
  int64_t max_bytes() const { return max_bytes_; }

 private:
  Arena(std::byte* data, int64_t max_bytes) : data_(data), max_bytes_(max_bytes) {}
  std::byte* data_ = nullptr;
  int64_t max_bytes_ = 0;
};

}  // namespace hearth
