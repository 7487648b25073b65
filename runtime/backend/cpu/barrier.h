// A sense-reversing barrier: the generation is the sense. Spins briefly, then yields, then sleeps, because the
// machine's threads may be busy with other processes and a spinning waiter would take time from the one it waits for.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace hearth {

inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// Waits until word != old. About 10 µs of pauses (a pause is 10-40 ns), then a few yields, then a futex.
inline void wait_while_equal(const std::atomic<uint32_t>& word, uint32_t old) {
  constexpr int kPauses = 400, kYields = 20;
  for (int i = 0; i < kPauses; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    cpu_pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    sched_yield();
  }
  word.wait(old, std::memory_order_acquire);
}

class Barrier {
 public:
  explicit Barrier(int n_threads) : n_threads_(n_threads), n_missing_(n_threads) {}

  void arrive_and_wait() {
    const uint32_t generation = generation_.load(std::memory_order_relaxed);
    if (n_missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      n_missing_.store(n_threads_, std::memory_order_relaxed);
      generation_.store(generation + 1, std::memory_order_release);
      generation_.notify_all();
    } else {
      wait_while_equal(generation_, generation);
    }
  }

 private:
  const int n_threads_;
  alignas(64) std::atomic<int> n_missing_;
  alignas(64) std::atomic<uint32_t> generation_{0};
};

}  // namespace hearth
