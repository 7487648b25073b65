// Sizes and coordinates of grids and blocks.
#pragma once

#include <cstdint>

namespace hearth::emulator {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};

struct Size3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr Size3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}  // NOLINT: as CUDA's dim3
  constexpr uint64_t count() const { return uint64_t{x} * y * z; }
  constexpr Index3 at(uint64_t i) const {
    return {static_cast<unsigned>(i % x), static_cast<unsigned>(i / x % y), static_cast<unsigned>(i / x / y)};
  }
};

}  // namespace hearth::emulator
