// What this machine can do at most, measured, so that every figure of a benchmark stands beside its limit.
#pragma once

#include "runtime/backend/cpu/team.h"

namespace hearth::bench {

struct MachineLimits {
  double flops_per_s = 0;       // fused multiply-adds of the widest vectors, all threads of the team
  double read_bytes_per_s = 0;  // streaming reads from memory (256 MiB a thread), all threads
};

// On a machine that is busy with other work, the CPU time of the calling thread is the fairer clock for a team of one.
enum class Clock { wall, cpu };
double seconds_now(Clock clock);

// The best of a few short runs (about half a second): other processes only make it slower.
MachineLimits measure_limits(Team& team, Clock clock);

}  // namespace hearth::bench
