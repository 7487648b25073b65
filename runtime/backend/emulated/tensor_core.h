// Tensor-core fragments on the CPU: the layouts are those of the PTX manual, "Matrix fragments for mma.m16n8k16 with
// floating point type" and "ldmatrix". A part of cuda.h.
#pragma once

#include "runtime/backend/emulated/block.h"
#include "runtime/tensor/scalar.h"

namespace hearth::emulator {

// ---- mma.sync.m16n8k16 ----

struct MmaOfLane {
  float* d;
  const uint32_t *a, *b;
};

// Element i of the bf16 numbers that registers hold.
inline float bf16_in(const uint32_t* registers, int i) {
  return bf16_to_float(static_cast<uint16_t>(registers[i / 2] >> (16 * (i % 2))));
}

inline void multiply_fragments(void* const (&lanes)[kWarpSize]) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& of = *static_cast<const MmaOfLane*>(lanes[lane]);
    const int group = lane / 4, in_group = lane % 4;
    for (int i = 0; i < 8; ++i) a[group + (i / 2 % 2) * 8][in_group * 2 + i % 2 + i / 4 * 8] = bf16_in(of.a, i);
    for (int i = 0; i < 4; ++i) b[in_group * 2 + i % 2 + i / 2 * 8][group] = bf16_in(of.b, i);
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto& of = *static_cast<const MmaOfLane*>(lanes[lane]);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8, col = lane % 4 * 2 + i % 2;
      for (int k = 0; k < 16; ++k) of.d[i] += a[row][k] * b[k][col];
    }
  }
}

// ---- ldmatrix.x4 ----

struct LoadOfLane {
  uint32_t* registers;
  const void* row;
};

// Matrix m has its rows' addresses in lanes 8m to 8m + 7.
template <bool transposes>
void load_matrices(void* const (&lanes)[kWarpSize]) {
  for (int m = 0; m < 4; ++m) {
    uint16_t matrix[8][8];
    for (int row = 0; row < 8; ++row)
      std::memcpy(matrix[row], static_cast<const LoadOfLane*>(lanes[m * 8 + row])->row, sizeof(matrix[row]));
    for (int lane = 0; lane < 32; ++lane) {
      const int row = lane / 4, col = lane % 4 * 2;
      const uint16_t low = transposes ? matrix[col][row] : matrix[row][col];
      const uint16_t high = transposes ? matrix[col + 1][row] : matrix[row][col + 1];
      static_cast<const LoadOfLane*>(lanes[lane])->registers[m] = low | static_cast<uint32_t>(high) << 16;
    }
  }
}

}  // namespace hearth::emulator
