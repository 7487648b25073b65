// Memory in a heap block of exactly its size, so that AddressSanitizer sees the first byte beyond it. Without the
// sanitizer, a guard on either side is NaN to whoever reads there, and is_intact() tells who wrote there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace hearth::emulator {

// What memory holds that nothing was written to: NaN as f32, f16 and bf16, and no sensible index. A result that depends
// on such memory is NaN, or differs between the two.
enum class Filling : uint32_t { positive_nan = 0x7fff7fff, negative_nan = 0xfffefffe };

void fill(std::byte* data, size_t bytes, Filling filling);

class Guarded {
 public:
  Guarded(size_t bytes, Filling filling);
  Guarded(const void* content, size_t bytes);
  std::byte* data() const { return block_.get() + guard_bytes(); }
  size_t bytes() const { return bytes_; }
  bool is_intact() const;

 private:
  explicit Guarded(size_t bytes);
  static size_t guard_bytes();
  struct Free {
    void operator()(std::byte* block) const;
  };
  size_t bytes_;
  std::unique_ptr<std::byte, Free> block_;
};

}  // namespace hearth::emulator
