// Fragments of tensor cores lie as the PTX manual says, and wrong uses are refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/sanitizers.h"
#include "runtime/backend/emulated/cuda.h"

namespace hearth::emulated::tensor_core_test {
namespace {

constexpr int M = 16, N = 8, K = 16;

std::vector<float> numbers(int n, int seed) {
  std::vector<float> out(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) out[static_cast<size_t>(i)] = static_cast<float>((i * 37 + seed * 11 + i / 7) % 63 - 31);
  return out;
}

// Two bf16 numbers in a register, the first in the low half.
uint32_t packed(float low, float high) {
  return float_to_bf16(low) | static_cast<uint32_t>(float_to_bf16(high)) << 16;
}

// As the manual's formulas for m16n8k16 say: of register i, with groupID = lane >> 2, threadID_in_group = lane % 4,
//   a: row = groupID for registers 0 and 2, groupID + 8 for 1 and 3; col = threadID_in_group * 2, + 8 for 2 and 3
//   b: row = threadID_in_group * 2, + 8 for register 1; col = groupID
//   d: row = groupID, + 8 for d2 and d3; col = threadID_in_group * 2 + (i & 1)
__global__ void mma_kernel(const float* a, const float* b, float* d) {
  const int group = static_cast<int>(threadIdx.x) >> 2, in_group = static_cast<int>(threadIdx.x) % 4;
  uint32_t fa[4], fb[2];
  for (int i = 0; i < 4; ++i) {
    const int row = group + (i == 1 || i == 3 ? 8 : 0), col = in_group * 2 + (i >= 2 ? 8 : 0);
    fa[i] = packed(a[row * K + col], a[row * K + col + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    const int row = in_group * 2 + i * 8;
    fb[i] = packed(b[row * N + group], b[(row + 1) * N + group]);
  }
  float fd[4];
  for (int i = 0; i < 4; ++i) fd[i] = d[(group + (i >= 2 ? 8 : 0)) * N + in_group * 2 + (i & 1)];
  mma_bf16(fd, fa, fb);
  for (int i = 0; i < 4; ++i) d[(group + (i >= 2 ? 8 : 0)) * N + in_group * 2 + (i & 1)] = fd[i];
}

TEST(EmulatedTensorCore, ProductOfFragmentsIsAddedToAnother) {
  const std::vector<float> a = numbers(M * K, 1), b = numbers(K * N, 2), c = numbers(M * N, 3);
  for (uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<float> d = c;
    Device device({seed});
    launch_kernel<mma_kernel>(1, 32, 0, &device, a.data(), b.data(), d.data());
    ASSERT_TRUE(device.take_result());
    for (size_t i = 0; i < M; ++i)
      for (size_t j = 0; j < N; ++j) {
        float sum = c[i * N + j];
        for (size_t k = 0; k < K; ++k) sum += a[i * K + k] * b[k * N + j];
        EXPECT_EQ(d[i * N + j], sum) << i << "," << j;
      }
  }
}

// Four 8 x 8 matrices beside each other in a tile of 8 x 32: lane 8m + r has the address of row r of matrix m, and gets
// elements (lane / 4, lane % 4 * 2) and the next of each; transposed, (lane % 4 * 2, lane / 4) and the one below.
template <bool transposes>
__global__ void load_kernel(uint32_t* out) {
  HEARTH_SHARED(tile, uint16_t[8][32]);
  for (int i = static_cast<int>(threadIdx.x); i < 256; i += 32) tile[i / 32][i % 32] = static_cast<uint16_t>(i);
  __syncwarp();
  const int lane = static_cast<int>(threadIdx.x);
  uint32_t registers[4];
  if (transposes)
    load_transposed_4(registers, &tile[lane % 8][lane / 8 * 8]);
  else
    load_matrices_4(registers, &tile[lane % 8][lane / 8 * 8]);
  for (int m = 0; m < 4; ++m) out[lane * 4 + m] = registers[m];
}

template <bool transposes>
void expect_loaded(int down, int right) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<uint32_t> out(128);
    Device device({seed});
    launch_kernel<load_kernel<transposes>>(1, 32, 0, &device, out.data());
    const Result<void> done = device.take_result();
    ASSERT_TRUE(done) << done.error().message;
    for (int lane = 0; lane < 32; ++lane)
      for (int m = 0; m < 4; ++m) {
        const int row = transposes ? lane % 4 * 2 : lane / 4, col = transposes ? lane / 4 : lane % 4 * 2;
        const int first = row * 32 + m * 8 + col, second = (row + down) * 32 + m * 8 + col + right;
        EXPECT_EQ(out[static_cast<size_t>(lane * 4 + m)], static_cast<uint32_t>(first | second << 16)) << lane;
      }
  }
}

TEST(EmulatedTensorCore, LoadsFourMatrices) {
  expect_loaded<false>(0, 1);
  expect_loaded<true>(1, 0);
}

// ---- wrong uses ----

enum class Flaw { unaligned, not_shared, a_lane_is_missing };

template <Flaw flaw>
__global__ void wrong_kernel(const uint16_t* global, float* out) {
  HEARTH_SHARED(tile, uint16_t[32][24]);
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = 0; i < 24; ++i) tile[lane][i] = float_to_bf16(1);
  __syncwarp();
  if (flaw == Flaw::a_lane_is_missing && lane == 5) return;
  uint32_t a[4];
  load_matrices_4(a, flaw == Flaw::unaligned    ? &tile[lane][1]
                     : flaw == Flaw::not_shared ? global
                                                : &tile[(lane + 16) % 32][0]);
  const uint32_t b[2] = {0x3f803f80u, 0x3f803f80u};
  float d[4] = {};
  mma_bf16(d, a, b);
  for (int i = 0; i < 4; ++i) out[lane * 4 + i] = d[i];
}

template <Flaw flaw>
std::string failure() {
  const std::vector<uint16_t> global(64);
  std::vector<float> out(128);
  Device device;
  launch_kernel<wrong_kernel<flaw>>(1, 32, 0, &device, global.data(), out.data());
  const Result<void> done = device.take_result();
  return done ? "" : done.error().message;
}

TEST(EmulatedTensorCore, WrongUsesAreRefused) {
  EXPECT_NE(failure<Flaw::unaligned>().find("multiples of 16 bytes"), std::string::npos);
  EXPECT_NE(failure<Flaw::not_shared>().find("reads shared memory"), std::string::npos);
  EXPECT_NE(failure<Flaw::a_lane_is_missing>().find("wait for the others"), std::string::npos);
}

// Lanes that go into ldmatrix together have all written by then; what one reads of a warp that has not is NaN.
template <bool waits>
__global__ void two_warps_kernel(float* out) {
  HEARTH_SHARED(tile, uint16_t[64][8]);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
  for (int i = 0; i < 8; ++i) tile[thread][i] = float_to_bf16(1);
  if (waits) __syncthreads();
  uint32_t a[4];
  load_matrices_4(a, &tile[63 - thread][0]);
  const uint32_t b[2] = {0x3f803f80u, 0x3f803f80u};
  float d[4] = {};
  mma_bf16(d, a, b);
  for (int i = 0; i < 4; ++i) out[(thread / 32 * 32 + lane) * 4 + i] = d[i];
}

TEST(EmulatedTensorCore, AMissingBarrierBeforeALoadIsCaught) {
  for (uint64_t seed = 0; seed < 4; ++seed)
    for (const bool waits : {true, false}) {
      std::vector<float> out(256);
      Device device({seed});
      if (waits)
        launch_kernel<two_warps_kernel<true>>(1, 64, 0, &device, out.data());
      else
        launch_kernel<two_warps_kernel<false>>(1, 64, 0, &device, out.data());
      ASSERT_TRUE(device.take_result());
      const auto is_right = [](float x) { return x == 16; };
      EXPECT_EQ(std::ranges::all_of(out, is_right), waits) << seed;
    }
}

}  // namespace
}  // namespace hearth::emulated::tensor_core_test
