// Probes give plausible figures, clean up after themselves, and say why when they cannot measure.
#include "hwdetect/probe.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "hwdetect/cpu_features.h"
#include "hwdetect/sysfs.h"

namespace hearth::probe_test {
namespace {

ProbeOptions short_options(const std::filesystem::path& folder) {
  return {.folder = folder, .buffer_bytes = 16 << 20, .file_bytes = 4 << 20, .seconds_per_point = 0.01};
}

TEST(Probe, MeasuresThisMachine) {
  auto folder = TempFolder::create("probe");
  ASSERT_TRUE(folder);
  auto limits = measure(short_options(folder->path()));
  ASSERT_TRUE(limits) << limits.error().to_string();
  ASSERT_FALSE(limits->memory_read.empty());
  EXPECT_EQ(limits->memory_read.front().n_threads, 1);
  EXPECT_EQ(limits->memory_read.back().n_threads, cpu_features().n_physical_cores);
  EXPECT_GT(best_memory_read_bytes_per_s(*limits), 1e8);
  EXPECT_GT(limits->fma.one_thread_flops_per_s, 1e7);
  EXPECT_EQ(limits->fma.n_threads, cpu_features().n_physical_cores);
  EXPECT_GT(limits->measured_at, 1.6e9);
  EXPECT_TRUE(list_folder(folder->path()).empty()) << "the temporary file is still there";
}

TEST(Probe, EveryReadingHasAValueOrAReason) {
  auto folder = TempFolder::create("probe");
  ASSERT_TRUE(folder);
  auto limits = measure(short_options(folder->path()));
  ASSERT_TRUE(limits);
  auto explained = [](const Reading<double>& reading) {
    return reading ? *reading.value > 0 && reading.reason.empty() : !reading.reason.empty();
  };
  for (const BandwidthPoint& point : limits->memory_read) {
    EXPECT_TRUE(explained(point.small_pages_bytes_per_s));
    EXPECT_TRUE(explained(point.huge_pages_bytes_per_s));
  }
  EXPECT_TRUE(explained(limits->disk.sequential_bytes_per_s));
  EXPECT_TRUE(explained(limits->disk.random_reads_per_s));
}

TEST(Probe, NeedsAFolder) {
  auto limits = measure({.folder = "/nonexistent/folder"});
  ASSERT_FALSE(limits);
  EXPECT_EQ(limits.error().code, Code::invalid_argument);
}

TEST(Probe, ADiskThatCannotBeMeasuredSaysWhy) {
  const DiskSpeed speed = measure_disk({.folder = "/proc"});
  EXPECT_FALSE(speed.sequential_bytes_per_s);
  EXPECT_FALSE(speed.sequential_bytes_per_s.reason.empty());
}

}  // namespace
}  // namespace hearth::probe_test
