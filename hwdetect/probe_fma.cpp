// The fp32 arithmetic peak: independent chains of fused multiply-adds that live in registers.
// Two units with a latency of 4 cycles need 8 chains; 12 leave room and still fit into 16 registers.
#include "hwdetect/cpu_features.h"
#include "hwdetect/probe.h"
#include "hwdetect/team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

constexpr int kRounds = 4096;  // of one turn
constexpr int kChains = 12;

// Keeps a value's computation alive without storing it.
template <class T>
void keep(T& value) {
  asm volatile("" : "+x"(value));
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) uint64_t turn_avx512() {
  __m512 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm512_fmadd_ps(x[i], a, b);
  for (int i = 1; i < kChains; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
  float sum = _mm512_cvtss_f32(x[0]);
  keep(sum);
  return uint64_t{kRounds} * kChains * 16 * 2;
}

__attribute__((target("avx2,fma"))) uint64_t turn_avx2() {
  __m256 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm256_fmadd_ps(x[i], a, b);
  for (int i = 1; i < kChains; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
  float sum = _mm256_cvtss_f32(x[0]);
  keep(sum);
  return uint64_t{kRounds} * kChains * 8 * 2;
}
#endif

uint64_t turn_portable() {
  float x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = static_cast<float>(i);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = x[i] * 0.999f + 0.001f;
  volatile float sum = 0;
  for (float value : x) sum = sum + value;
  return uint64_t{kRounds} * kChains * 2;
}

using Turn = uint64_t (*)();

std::pair<const char*, Turn> choose_turn() {
#if defined(__x86_64__)
  if (cpu_features().avx512f) return {"avx512f", turn_avx512};
  if (cpu_features().avx2 && cpu_features().fma) return {"avx2", turn_avx2};
#endif
  return {"portable", turn_portable};
}

}  // namespace

FmaPeak measure_fma(const ProbeOptions& options) {
  auto [isa, turn] = choose_turn();
  auto speed = [&, turn = turn](int n_threads) {
    return detail::best_of_three(n_threads, options.seconds_per_point, [turn](int) { return turn(); });
  };
  speed(1);  // a first round lets the clock rise
  FmaPeak peak;
  peak.isa = isa;
  peak.n_threads = cpu_features().n_physical_cores;
  peak.one_thread_flops_per_s = speed(1);
  peak.all_threads_flops_per_s = speed(peak.n_threads);
  return peak;
}

}  // namespace hearth
