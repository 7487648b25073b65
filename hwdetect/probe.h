// Short measurements of what this box can do: the limits that plans and benchmarks are held against.
// All together they take under 3 seconds and leave nothing behind. Run them when the box is otherwise idle.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "hwdetect/reading.h"

namespace hearth {

struct BandwidthPoint {
  int n_threads = 0;
  Reading<double> small_pages_bytes_per_s, huge_pages_bytes_per_s;
  static constexpr auto kFields = std::tuple{
      field("n_threads", &BandwidthPoint::n_threads, "threads that read at once"),
      field("small_pages_bytes_per_s", &BandwidthPoint::small_pages_bytes_per_s, "memory read speed from 4 KiB pages"),
      field("huge_pages_bytes_per_s", &BandwidthPoint::huge_pages_bytes_per_s, "memory read speed from huge pages"),
  };
};

struct FmaPeak {
  std::string isa;  // avx512f | avx2 | portable
  double one_thread_flops_per_s = 0, all_threads_flops_per_s = 0;
  int n_threads = 0;
  static constexpr auto kFields = std::tuple{
      field("isa", &FmaPeak::isa, "instructions used: avx512f | avx2 | portable"),
      field("one_thread_flops_per_s", &FmaPeak::one_thread_flops_per_s, "fp32, one thread"),
      field("all_threads_flops_per_s", &FmaPeak::all_threads_flops_per_s, "fp32, one thread per physical core"),
      field("n_threads", &FmaPeak::n_threads, "physical cores used"),
  };
};

struct DiskSpeed {
  std::string folder;
  uint64_t file_bytes = 0;
  int n_readers = 0;
  Reading<double> sequential_bytes_per_s, random_reads_per_s;
  static constexpr auto kFields = std::tuple{
      field("folder", &DiskSpeed::folder, "where the temporary file was"),
      field("file_bytes", &DiskSpeed::file_bytes, "its size"),
      field("n_readers", &DiskSpeed::n_readers, "reads in flight at once"),
      field("sequential_bytes_per_s", &DiskSpeed::sequential_bytes_per_s, "O_DIRECT reads of 1 MiB in order"),
      field("random_reads_per_s", &DiskSpeed::random_reads_per_s, "O_DIRECT reads of 4 KiB at random places"),
  };
};

struct MeasuredLimits {
  std::vector<BandwidthPoint> memory_read;
  FmaPeak fma;
  DiskSpeed disk;
  double measured_at = 0, took_s = 0;
  Reading<double> cores_of_others;
  std::string machine;
  static constexpr auto kFields = std::tuple{
      field("memory_read", &MeasuredLimits::memory_read, "memory read speed per thread count"),
      field("fma", &MeasuredLimits::fma, "arithmetic peak of the CPU"),
      field("disk", &MeasuredLimits::disk, "read speed of the disk that holds the state"),
      field("measured_at", &MeasuredLimits::measured_at, "when, seconds since 1970"),
      field("took_s", &MeasuredLimits::took_s, "how long it took"),
      field("cores_of_others", &MeasuredLimits::cores_of_others, "processor cores that other programs used meanwhile"),
      field("machine", &MeasuredLimits::machine, "the processor and how many; figures of another machine do not count"),
  };
};

struct ProbeOptions {
  std::filesystem::path folder;  // for the temporary file of the disk probe; needs file_bytes of space
  uint64_t buffer_bytes = 0;     // memory to read; 0: four times the last cache, at least 128 MiB, at most 1 GiB
  uint64_t file_bytes = uint64_t{64} << 20;
  double seconds_per_point = 0.08;
};

std::vector<BandwidthPoint> measure_memory_read(const ProbeOptions& options);
FmaPeak measure_fma(const ProbeOptions& options);
DiskSpeed measure_disk(const ProbeOptions& options);

// The processor's model and how many there are, by which a file of figures is known as this machine's.
std::string machine_name();

// All three, and what else ran meanwhile. Errors: the folder does not exist.
Result<MeasuredLimits> measure(const ProbeOptions& options);

// The best memory read speed over all thread counts and page sizes; 0 when none could be measured.
double best_memory_read_bytes_per_s(const MeasuredLimits& limits);

}  // namespace hearth
