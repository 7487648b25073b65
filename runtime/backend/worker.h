// Who runs a kernel. On the CPU kernels are SPMD: every thread of the team calls the kernel and does its share. On a
// GPU one thread calls it, and it launches onto `queue`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace hearth {

class Barrier;

struct Worker {
  int rank = 0;
  int size = 1;
  Barrier* barrier = nullptr;  // null when size is 1
  void* queue = nullptr;       // the device's (a cudaStream_t); unused on the CPU

  void sync() const;  // all threads of the team meet here; defined in team.cpp

  // This thread's half-open share of [0, n), in multiples of `grain`. Depends on size only: fixed order, fixed split.
  std::pair<int64_t, int64_t> share(int64_t n, int64_t grain = 1) const {
    const int64_t units = (n + grain - 1) / grain;
    const int64_t begin = units * rank / size * grain, end = units * (rank + 1) / size * grain;
    return {std::min(begin, n), std::min(end, n)};
  }
};

}  // namespace hearth
