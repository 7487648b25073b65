// Runs the same timed loop in several threads that start together, and adds up what they did. For probes only.
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace hearth::detail {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct TeamResult {
  uint64_t work = 0;  // the sum of what every turn returned
  double seconds = 0;
  double per_second() const { return seconds > 0 ? static_cast<double>(work) / seconds : 0; }
};

// turn(thread) does a small piece of work (well under a millisecond to a few) and returns how much it was; it is
// called until `seconds` have passed. A turn that returns 0 ends its thread.
inline TeamResult run_team(int n_threads, double seconds, const std::function<uint64_t(int)>& turn) {
  std::atomic<uint64_t> work{0};
  Clock::time_point start;
  std::barrier ready(n_threads, [&]() noexcept { start = Clock::now(); });
  auto body = [&](int thread) {
    ready.arrive_and_wait();
    uint64_t done = 0;
    while (seconds_since(start) < seconds) {
      const uint64_t piece = turn(thread);
      if (piece == 0) break;
      done += piece;
    }
    work += done;
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < n_threads; ++thread) others.emplace_back(body, thread);
  body(0);
  for (std::thread& other : others) other.join();
  return {work, seconds_since(start)};
}

// The best of three short runs, per second: another program's time slice spoils one of them, not the figure.
inline double best_of_three(int n_threads, double seconds, const std::function<uint64_t(int)>& turn) {
  double best = 0;
  for (int i = 0; i < 3; ++i) best = std::max(best, run_team(n_threads, seconds / 3, turn).per_second());
  return best;
}

}  // namespace hearth::detail
