// FMA peak and read bandwidth.
#include "tests/bench/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <vector>

#include "hwdetect/cpu_features.h"

namespace hearth::bench {

// Time of one short stretch of work: the wall clock, or on a busy machine this thread's own CPU time.
double seconds_now(Clock clock) {
  timespec t;
  clock_gettime(clock == Clock::cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

namespace {

// Twelve independent accumulators cover latency times ports on every current core; named, so that they stay in
// registers. Returns something that depends on all, so that the work is not removed.
#define DEFINE_FMA_LOOP(NAME, TARGET, LANES)                                                              \
  TARGET double NAME(int64_t n) {                                                                         \
    using Vec = float __attribute__((vector_size(LANES * 4)));                                            \
    const Vec a = 0.999f - Vec{}, b = 1e-6f - Vec{};                                                      \
    Vec s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a; \
    for (int64_t step = 0; step < n; ++step) {                                                            \
      s0 = s0 * a + b, s1 = s1 * a + b, s2 = s2 * a + b, s3 = s3 * a + b;                                 \
      s4 = s4 * a + b, s5 = s5 * a + b, s6 = s6 * a + b, s7 = s7 * a + b;                                 \
      s8 = s8 * a + b, s9 = s9 * a + b, s10 = s10 * a + b, s11 = s11 * a + b;                             \
      asm volatile("" : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6), "+v"(s7));  \
      asm volatile("" : "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11));                                        \
    }                                                                                                     \
    return ((s0 + s1 + s2) + (s3 + s4 + s5) + (s6 + s7 + s8) + (s9 + s10 + s11))[0];                      \
  }                                                                                                       \
  static_assert(LANES > 0)

#if defined(__x86_64__)
DEFINE_FMA_LOOP(fma_loop_avx512, __attribute__((target("avx512f,fma"))), 16);
DEFINE_FMA_LOOP(fma_loop_avx2, __attribute__((target("avx2,fma"))), 8);
#endif
DEFINE_FMA_LOOP(fma_loop_portable, , 4);

struct FmaLoop {
  double (*run)(int64_t);
  int lanes;
};

FmaLoop best_fma_loop() {
#if defined(__x86_64__)
  if (cpu_features().avx512f) return {fma_loop_avx512, 16};
  if (cpu_features().avx2 && cpu_features().fma) return {fma_loop_avx2, 8};
#endif
  return {fma_loop_portable, 4};
}

std::atomic<double> sink;

double measure_flops(Team& team, Clock clock) {
  const FmaLoop loop = best_fma_loop();
  constexpr int64_t kSteps = 2'000'000;
  double best = 0;
  for (int round = 0; round < 8; ++round) {
    const double begin = seconds_now(clock);
    team.run([&](const Worker&) { sink = loop.run(kSteps); });
    const double flops = 2.0 * 12 * loop.lanes * kSteps * team.size();
    best = std::max(best, flops / (seconds_now(clock) - begin));
  }
  return best;
}

double measure_reads(Team& team, Clock clock) {
  constexpr size_t kBytesPerThread = size_t{256} << 20;
  std::vector<std::vector<uint64_t>> buffers(static_cast<size_t>(team.size()));
  team.run([&](const Worker& me) { buffers[static_cast<size_t>(me.rank)].assign(kBytesPerThread / 8, 1); });
  double best = 0;
  for (int round = 0; round < 6; ++round) {
    const double begin = seconds_now(clock);
    team.run([&](const Worker& me) {
      const std::vector<uint64_t>& data = buffers[static_cast<size_t>(me.rank)];
      using Vec = uint64_t __attribute__((vector_size(64)));
      Vec sum0{}, sum1{};
      for (size_t i = 0; i + 16 <= data.size(); i += 16) {
        Vec a, b;
        std::memcpy(&a, &data[i], 64);
        std::memcpy(&b, &data[i + 8], 64);
        sum0 += a;
        sum1 += b;
      }
      sink = static_cast<double>(sum0[0] + sum1[0]);
    });
    best = std::max(best, static_cast<double>(kBytesPerThread) * team.size() / (seconds_now(clock) - begin));
  }
  return best;
}

}  // namespace

MachineLimits measure_limits(Team& team, Clock clock) {
  return {measure_flops(team, clock), measure_reads(team, clock)};
}

}  // namespace hearth::bench
