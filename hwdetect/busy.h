// How much of the processor others use: a measurement taken beside a compiler is not the machine's limit.
#pragma once

#include <filesystem>

#include "hwdetect/reading.h"

namespace hearth {

// Processor time that all programs and this one have used since the start, in seconds of one core.
struct CpuTimes {
  double all_s = 0;   // busy and stolen time of the machine (/proc/stat)
  double ours_s = 0;  // this process (getrusage)
};

// Errors: /proc/stat cannot be read.
Result<CpuTimes> read_cpu_times(const std::filesystem::path& proc = "/proc");

// Cores that other programs used on average between two readings `seconds` apart, at least 0.
double cores_of_others(const CpuTimes& before, const CpuTimes& after, double seconds);

}  // namespace hearth
