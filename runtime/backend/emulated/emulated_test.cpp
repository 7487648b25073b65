// The emulator on small kernels: right ones give right results in every order of threads, and each way to be wrong (a
// barrier removed, an index off by one, a bounds check missing, memory never written) is found.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/sanitizers.h"
#include "runtime/backend/emulated/cuda.h"

namespace hearth::emulated::emulated_test {
namespace {

constexpr uint64_t kSeeds = 8;

// n elements of device memory, each with its own guards.
template <class T>
class Array {
 public:
  Array(Device& device, size_t n) : memory_(n * sizeof(T), device.filling()), n_(n) { device.watch(memory_); }
  Array(Device& device, const std::vector<T>& values) : Array(device, values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  std::vector<T> values() const { return {data(), data() + n_}; }

 private:
  Guarded memory_;
  size_t n_;
};

std::vector<float> ramp(size_t n) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(i % 17) - 3;
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// What `run` gives for each seed and each filling of dead memory.
template <class Run>
std::vector<std::vector<float>> of_every_order(Run run) {
  std::vector<std::vector<float>> out;
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const Filling filling : {Filling::positive_nan, Filling::negative_nan})
      out.push_back(run(Options{seed, filling}));
  return out;
}

// ---- elements ----

template <bool is_checked, int offset>
__global__ void twice_kernel(const float* x, float* y, int64_t n) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (!is_checked || i < n) y[i] = 2 * x[i + offset];
}

struct Ran {
  Result<void> result;
  std::vector<float> y;
};

template <bool is_checked, int offset>
Ran twice(Options options, size_t n) {
  Device device(options);
  const Array<float> x(device, ramp(n)), y(device, n);
  launch_kernel<twice_kernel<is_checked, offset>>(static_cast<unsigned>(n / 64 + 1), 64, 0, &device, x.data(), y.data(),
                                                  static_cast<int64_t>(n));
  return {device.take_result(), y.values()};
}

TEST(Emulated, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<float> expected = ramp(200);
  for (float& x : expected) x *= 2;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Ran ran = twice<true, 0>({seed}, 200);
    ASSERT_TRUE(ran.result) << ran.result.error().to_string();
    EXPECT_EQ(ran.y, expected);
  }
}

TEST(Emulated, MissingBoundsCheckIsCaught) {
#if HEARTH_HAS_ASAN
  EXPECT_DEATH((twice<false, 0>({}, 200)), "heap-buffer-overflow");
#else
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Ran ran = twice<false, 0>({seed}, 200);
    ASSERT_FALSE(ran.result);
    EXPECT_NE(ran.result.error().message.find("twice_kernel<false, 0>"), std::string::npos)
        << ran.result.error().message;
    EXPECT_NE(ran.result.error().message.find("beside a buffer of 800 bytes"), std::string::npos);
  }
#endif
}

TEST(Emulated, IndexOffByOneIsCaught) {
#if HEARTH_HAS_ASAN
  EXPECT_DEATH((twice<true, 1>({}, 200)), "heap-buffer-overflow");
  EXPECT_DEATH((twice<true, -1>({}, 200)), "heap-buffer-overflow");
#else
  EXPECT_TRUE(std::isnan((twice<true, 1>({}, 200).y.back())));
  EXPECT_TRUE(std::isnan((twice<true, -1>({}, 200).y.front())));
#endif
}

__global__ void coordinates_kernel(unsigned* seen) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  atomicAdd(&seen[block * blockDim.x * blockDim.y * blockDim.z + thread], 1u);
}

TEST(Emulated, CoordinatesHaveThreeDimensions) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    const Array<unsigned> seen(device, std::vector<unsigned>(5 * 3 * 2 * 7 * 4 * 2, 0));
    launch_kernel<coordinates_kernel>(dim3(5, 3, 2), dim3(7, 4, 2), 0, &device, seen.data());
    ASSERT_TRUE(device.take_result());
    for (unsigned n : seen.values()) EXPECT_EQ(n, 1u);
  }
}

__global__ void order_kernel(int* next, int* order) {
  order[atomicAdd(next, 1)] = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

TEST(Emulated, ASeedShufflesThreadsAndBlocks) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    const Array<int> next(device, std::vector<int>(1, 0)), order(device, 96);
    launch_kernel<order_kernel>(3, 32, 0, &device, next.data(), order.data());
    ASSERT_TRUE(device.take_result());
    std::vector<int> sorted = order.values();
    EXPECT_EQ(std::ranges::is_sorted(sorted), seed == 0);
    orders.insert(sorted);
    std::ranges::sort(sorted);
    for (int i = 0; i < 96; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  }
  EXPECT_EQ(orders.size(), kSeeds);
}

// ---- barriers and shared memory ----

enum class Flaw { none, no_barrier_after_writing, no_barrier_before_overwriting, one_too_far, one_too_few };

// y[i] = Σ of the tile that i is in, tile after tile through the same shared array.
template <Flaw flaw>
__global__ void tile_sums_kernel(const float* x, float* y, int n_tiles) {
  HEARTH_SHARED(tile, float[64]);
  const int t = static_cast<int>(threadIdx.x);
  for (int first = 0; first < n_tiles * 64; first += 64) {
    tile[flaw == Flaw::one_too_far ? t + 1 : t] = x[first + t];
    if (flaw != Flaw::no_barrier_after_writing) __syncthreads();
    float sum = 0;
    for (int i = 0; i < (flaw == Flaw::one_too_few ? 65 : 64); ++i) sum += tile[i];
    y[first + t] = sum;
    if (flaw != Flaw::no_barrier_before_overwriting) __syncthreads();
  }
}

template <Flaw flaw>
Ran tile_sums(Options options) {
  Device device(options);
  const Array<float> x(device, ramp(256)), y(device, 256);
  launch_kernel<tile_sums_kernel<flaw>>(1, 64, 0, &device, x.data(), y.data(), 4);
  return {device.take_result(), y.values()};
}

std::vector<float> expected_tile_sums() {
  const std::vector<float> x = ramp(256);
  std::vector<float> y(256);
  for (size_t i = 0; i < 256; ++i) y[i] = std::accumulate(x.begin() + i / 64 * 64, x.begin() + (i / 64 + 1) * 64, 0.0f);
  return y;
}

TEST(Emulated, BarriersOrderSharedMemory) {
  for (const auto& y : of_every_order([](Options options) {
         const Ran ran = tile_sums<Flaw::none>(options);
         EXPECT_TRUE(ran.result) << ran.result.error().to_string();
         return ran.y;
       }))
    EXPECT_EQ(y, expected_tile_sums());
}

// In every order, not in a lucky one only.
TEST(Emulated, RemovedBarrierIsCaught) {
  for (const auto& y : of_every_order([](Options o) { return tile_sums<Flaw::no_barrier_after_writing>(o).y; }))
    EXPECT_TRUE(std::ranges::any_of(y, [](float value) { return std::isnan(value); }));
  for (const auto& y : of_every_order([](Options o) { return tile_sums<Flaw::no_barrier_before_overwriting>(o).y; }))
    EXPECT_FALSE(same_bits(y, expected_tile_sums()));
}

// AddressSanitizer's guards within a stack would else stay where the stack was.
TEST(Emulated, AddressesOfStacksThatAreGoneCanBeUsed) {
  EXPECT_TRUE(tile_sums<Flaw::none>({}).result);  // 64 stacks, of a device that is gone
  constexpr size_t kBytes = size_t{16} << 20;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kBytes);
  munmap(memory, kBytes);
}

TEST(Emulated, SharedArrayIsExactlyAsLarge) {
#if HEARTH_HAS_ASAN
  constexpr auto kEither = "heap-buffer-overflow|index 64 out of bounds";  // UBSan knows the array's type
  EXPECT_DEATH(tile_sums<Flaw::one_too_far>({}), kEither);
  EXPECT_DEATH(tile_sums<Flaw::one_too_few>({}), kEither);
#else
  const Ran ran = tile_sums<Flaw::one_too_far>({});
  ASSERT_FALSE(ran.result);
  EXPECT_NE(ran.result.error().message.find("tile_sums_kernel"), std::string::npos) << ran.result.error().message;
  EXPECT_NE(ran.result.error().message.find("beside a shared array of 256 bytes"), std::string::npos);
  EXPECT_TRUE(std::isnan(tile_sums<Flaw::one_too_few>({}).y[0]));
#endif
}

__global__ void reverse_kernel(const float* x, float* y, int n, int slack) {
  HEARTH_DYNAMIC_SHARED(all, float);
  const int t = static_cast<int>(threadIdx.x);
  all[n - 1 - t + slack] = x[t];
  __syncthreads();
  y[t] = all[t];
}

Ran reverse(Options options, int slack) {
  Device device(options);
  const Array<float> x(device, ramp(100)), y(device, 100);
  launch_kernel<reverse_kernel>(1, 100, 400, &device, x.data(), y.data(), 100, slack);
  return {device.take_result(), y.values()};
}

TEST(Emulated, DynamicSharedMemoryIsExactlyAsLarge) {
  std::vector<float> expected = ramp(100);
  std::ranges::reverse(expected);
  EXPECT_EQ(reverse({3}, 0).y, expected);
#if HEARTH_HAS_ASAN
  EXPECT_DEATH(reverse({}, 1), "heap-buffer-overflow");
#else
  const Ran ran = reverse({}, 1);
  ASSERT_FALSE(ran.result);
  EXPECT_NE(ran.result.error().message.find("beside the dynamic shared memory"), std::string::npos);
#endif
}

// Each block counts its shared word up from what it finds: the filling, not what the block before left.
__global__ void unwritten_kernel(float* y) {
  HEARTH_SHARED(word, int[1]);
  y[blockIdx.x] = word[0] > 0 ? 1.0f : 2.0f;
  word[0] = 1;
}

// NaN does not always come through; the two fillings give two results.
TEST(Emulated, MemoryNeverWrittenIsFound) {
  auto run = [](Filling filling) {
    Device device({0, filling});
    const Array<float> y(device, 3);
    launch_kernel<unwritten_kernel>(3, 1, 0, &device, y.data());
    EXPECT_TRUE(device.take_result());
    return y.values();
  };
  const std::vector<float> positive = run(Filling::positive_nan), negative = run(Filling::negative_nan);
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(std::memcmp(&positive[i], &negative[i], sizeof(float)), 0);
}

// ---- threads that do not come ----

__global__ void half_barrier_kernel(bool early) {
  if (early && threadIdx.x >= 60) return;
  if (!early && threadIdx.x < 4) __syncthreads();
  __syncthreads();
}
__global__ void half_warp_kernel() {
  if (threadIdx.x != 5) __syncwarp();
}
__global__ void foreign_mask_kernel() {
  __syncwarp(0xffffu);
}
__global__ void reads_absent_lane_kernel(int* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0xffffu, 1, 20);
}
__global__ void short_warp_kernel() {
  __syncwarp();
}

std::string failure_of(Device& device) {
  const Result<void> result = device.take_result();
  return result ? "" : result.error().message;
}

TEST(Emulated, DivergentBarrierIsAnErrorThatNamesTheKernel) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    launch_kernel<half_barrier_kernel>(1, 64, 0, &device, true);
    std::string failure = failure_of(device);
    EXPECT_NE(failure.find("half_barrier_kernel"), std::string::npos) << failure;
    EXPECT_NE(failure.find("60 of the block's 64 threads wait"), std::string::npos) << failure;
    launch_kernel<half_barrier_kernel>(2, 64, 0, &device, false);
    failure = failure_of(device);
    EXPECT_NE(failure.find("half_barrier_kernel"), std::string::npos) << failure;
    EXPECT_NE(failure.find("different barriers"), std::string::npos) << failure;
  }
}

TEST(Emulated, LanesThatDoNotMeetAreAnError) {
  Device device({1});
  launch_kernel<half_warp_kernel>(1, 64, 0, &device);
  EXPECT_NE(failure_of(device).find("31 of the block's 64 threads wait"), std::string::npos);
  launch_kernel<foreign_mask_kernel>(1, 32, 0, &device);
  EXPECT_NE(failure_of(device).find("is not in its mask"), std::string::npos);
  const Array<int> y(device, 16);
  launch_kernel<reads_absent_lane_kernel>(1, 32, 0, &device, y.data());
  EXPECT_NE(failure_of(device).find("reads lane 20"), std::string::npos);
  launch_kernel<short_warp_kernel>(1, 20, 0, &device);
  EXPECT_NE(failure_of(device).find("lacks"), std::string::npos);
}

TEST(Emulated, AfterAFailureNothingRunsUntilItIsTaken) {
  Device device({2});
  const Array<float> x(device, ramp(64)), y(device, std::vector<float>(64, 0.0f));
  launch_kernel<half_warp_kernel>(1, 64, 0, &device);
  launch_kernel<twice_kernel<true, 0>>(1, 64, 0, &device, x.data(), y.data(), int64_t{64});
  EXPECT_EQ(y.values(), std::vector<float>(64, 0.0f));
  EXPECT_FALSE(device.take_result());
  launch_kernel<twice_kernel<true, 0>>(1, 64, 0, &device, x.data(), y.data(), int64_t{64});
  EXPECT_TRUE(device.take_result());
  EXPECT_EQ(y.values()[5], 4);
}

// ---- lanes ----

__global__ void lanes_kernel(int* y) {
  const int t = static_cast<int>(threadIdx.x), value = 100 + t;
  constexpr unsigned kAll = 0xffffffffu;
  int* out = y + t;
  int at = 0;
  auto put = [&](int result) { out[64 * at++] = result; };
  put(__shfl_sync(kAll, value, 7));
  put(__shfl_sync(kAll, value, 3, 8));
  put(__shfl_xor_sync(kAll, value, 5));
  put(__shfl_up_sync(kAll, value, 3));
  put(__shfl_up_sync(kAll, value, 3, 16));
  put(__shfl_down_sync(kAll, value, 3));
  put(__shfl_down_sync(kAll, value, 3, 16));
  put(static_cast<int>(__ballot_sync(kAll, t % 3 == 0)));
  put(__any_sync(kAll, t == 40));
  put(__all_sync(kAll, t < 32));
  const unsigned half = t % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
  put(__shfl_xor_sync(half, value, 9));
  put(__syncthreads_count(t % 2));
  put(__syncthreads_or(t == 1));
  put(__syncthreads_and(t != 1));
}

std::vector<int> expected_lanes() {
  std::vector<int> out;
  auto each = [&](auto of) {
    for (int t = 0; t < 64; ++t) out.push_back(of(t, t % 32, t / 32 * 32));
  };
  each([](int, int, int warp) { return 100 + warp + 7; });
  each([](int, int lane, int warp) { return 100 + warp + lane / 8 * 8 + 3; });
  each([](int, int lane, int warp) { return 100 + warp + (lane ^ 5); });
  each([](int t, int lane, int) { return 100 + (lane < 3 ? t : t - 3); });
  each([](int t, int lane, int) { return 100 + (lane % 16 < 3 ? t : t - 3); });
  each([](int t, int lane, int) { return 100 + (lane + 3 > 31 ? t : t + 3); });
  each([](int t, int lane, int) { return 100 + (lane % 16 + 3 > 15 ? t : t + 3); });
  each([](int, int, int warp) {
    unsigned votes = 0;
    for (int lane = 0; lane < 32; ++lane) votes |= ((warp + lane) % 3 == 0 ? 1u : 0u) << lane;
    return static_cast<int>(votes);
  });
  each([](int, int, int warp) { return warp == 32 ? 1 : 0; });
  each([](int, int, int warp) { return warp == 0 ? 1 : 0; });
  each([](int t, int, int) { return 100 + (t ^ 9); });
  each([](int, int, int) { return 32; });
  each([](int, int, int) { return 1; });
  each([](int, int, int) { return 0; });
  return out;
}

TEST(Emulated, LanesExchangeAsCudaSays) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    const std::vector<int> expected = expected_lanes();
    const Array<int> y(device, expected.size());
    launch_kernel<lanes_kernel>(1, 64, 0, &device, y.data());
    EXPECT_EQ(failure_of(device), "");
    EXPECT_EQ(y.values(), expected);
  }
}

__global__ void atomics_kernel(int* y) {
  const int t = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&y[0], t);
  atomicMax(&y[1], t);
  atomicMin(&y[2], t);
  if (atomicCAS(&y[3], 0, t + 1) == 0) atomicExch(&y[4], t + 1);
}

TEST(Emulated, Atomics) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    const Array<int> y(device, std::vector<int>(5, 0));
    launch_kernel<atomics_kernel>(4, 48, 0, &device, y.data());
    ASSERT_TRUE(device.take_result());
    EXPECT_EQ(y.values()[0], 192 * 191 / 2);
    EXPECT_EQ(y.values()[1], 191);
    EXPECT_EQ(y.values()[2], 0);
    EXPECT_EQ(y.values()[3], y.values()[4]);
  }
}

// ---- asynchronous copies ----

// Two tiles on the way at a time; y[t] = Σ over the tiles of what the thread t + 1 copied.
template <bool waits>
__global__ void async_kernel(const float* x, float* y, int n_tiles) {
  HEARTH_SHARED(tiles, float[2][32]);
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int i = 0; i <= n_tiles; ++i) {
    if (i < n_tiles) __pipeline_memcpy_async(&tiles[i % 2][t], &x[i * 32 + t], sizeof(float));
    __pipeline_commit();
    if (i == 0) continue;
    if (waits) __pipeline_wait_prior(1);
    __syncthreads();
    sum += tiles[(i - 1) % 2][(t + 1) % 32];
    __syncthreads();
  }
  y[t] = sum;
}

TEST(Emulated, AsynchronousCopiesArriveWhenAwaited) {
  std::vector<float> expected(32);
  for (size_t t = 0; t < 32; ++t)
    for (size_t i = 0; i < 5; ++i) expected[t] += ramp(160)[i * 32 + (t + 1) % 32];
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device device({seed});
    const Array<float> x(device, ramp(160)), y(device, 32);
    launch_kernel<async_kernel<true>>(1, 32, 0, &device, x.data(), y.data(), 5);
    EXPECT_EQ(failure_of(device), "");
    EXPECT_EQ(y.values(), expected);
    launch_kernel<async_kernel<false>>(1, 32, 0, &device, x.data(), y.data(), 5);
    EXPECT_EQ(failure_of(device), "");
    for (float value : y.values()) EXPECT_TRUE(std::isnan(value)) << "nobody waited";
  }
}

// ---- launches ----

__global__ void nothing_kernel() {}
__global__ void greedy_kernel() {
  HEARTH_SHARED(much, float[60 << 10]);
  much[0] = 1;
}

TEST(Emulated, WhatCudaRefusesIsRefused) {
  Device device;
  const auto refused = [&](dim3 grid, dim3 threads, size_t shared_bytes) {
    launch_kernel<nothing_kernel>(grid, threads, shared_bytes, &device);
    return !device.take_result();
  };
  EXPECT_FALSE(refused(1, 1024, 99 << 10));
  EXPECT_FALSE(refused(dim3(1, 65535), 1, 0));
  EXPECT_TRUE(refused(1, 1025, 0));
  EXPECT_TRUE(refused(1, dim3(32, 33), 0));
  EXPECT_TRUE(refused(1, dim3(1, 1, 65), 0));
  EXPECT_TRUE(refused(1, 0, 0));
  EXPECT_TRUE(refused(0, 1, 0));
  EXPECT_TRUE(refused(dim3(1, 65536), 1, 0));
  EXPECT_TRUE(refused(dim3(1, 1, 65536), 1, 0));
  EXPECT_TRUE(refused(1, 1, (99 << 10) + 1));
  launch_kernel<greedy_kernel>(1, 1, 0, &device);
  EXPECT_NE(failure_of(device).find("245760 bytes of shared memory"), std::string::npos);
}

}  // namespace
}  // namespace hearth::emulated::emulated_test
