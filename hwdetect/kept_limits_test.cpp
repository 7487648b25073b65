// What is kept of measurements: never less than was seen, never another machine's, and told with what ran beside.
#include "hwdetect/kept_limits.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "hwdetect/busy.h"

namespace hearth::kept_limits_test {
namespace {

MeasuredLimits limits_of(double read_bytes_per_s, double flops, double others, double at) {
  MeasuredLimits out;
  out.memory_read = {{1, Reading<double>::of(read_bytes_per_s / 2), Reading<double>::missing("no huge pages")},
                     {2, Reading<double>::of(read_bytes_per_s), Reading<double>::missing("no huge pages")}};
  out.fma = {"avx2", flops / 2, flops, 2};
  out.disk.folder = "/somewhere";
  out.disk.sequential_bytes_per_s = Reading<double>::of(1e9);
  out.measured_at = at;
  out.cores_of_others = Reading<double>::of(others);
  out.machine = "a processor, 2 processors";
  return out;
}

TEST(KeptLimits, ABusyMeasurementDoesNotReplaceAnIdleOne) {
  const MeasuredLimits idle = limits_of(20e9, 4e11, 0.01, 1000), busy = limits_of(5.8e9, 1e11, 1.9, 2000);
  for (const MeasuredLimits& best : {best_of(idle, busy), best_of(busy, idle)}) {
    EXPECT_DOUBLE_EQ(best_memory_read_bytes_per_s(best), 20e9);
    EXPECT_DOUBLE_EQ(best.fma.all_threads_flops_per_s, 4e11);
    EXPECT_DOUBLE_EQ(best.measured_at, 1000) << "the age is that of the quiet measurement";
    EXPECT_TRUE(was_idle(best));
  }
}

TEST(KeptLimits, TheBetterFigureCountsWhereverItComesFrom) {
  MeasuredLimits first = limits_of(20e9, 1e11, 0, 1000), second = limits_of(10e9, 4e11, 0, 2000);
  first.memory_read[1].huge_pages_bytes_per_s = Reading<double>::of(25e9);
  second.memory_read.erase(second.memory_read.begin());  // held to fewer thread counts
  const MeasuredLimits best = best_of(first, second);
  EXPECT_DOUBLE_EQ(best_memory_read_bytes_per_s(best), 25e9);
  EXPECT_DOUBLE_EQ(best.fma.all_threads_flops_per_s, 4e11);
  EXPECT_DOUBLE_EQ(best.measured_at, 2000);
  ASSERT_EQ(best.memory_read.size(), 2u);
  EXPECT_EQ(best.memory_read[0].n_threads, 1);
}

TEST(KeptLimits, AnotherMachinesFiguresDoNotCount) {
  MeasuredLimits other = limits_of(90e9, 9e12, 0, 1000);
  other.machine = "another";
  EXPECT_DOUBLE_EQ(best_memory_read_bytes_per_s(best_of(other, limits_of(20e9, 4e11, 1.9, 2000))), 20e9);
  auto folder = TempFolder::create("kept");
  ASSERT_TRUE(folder);
  const auto file = folder->path() / "measured.json";
  ASSERT_TRUE(write_file(file, dump_json(to_json_value(other))));
  EXPECT_EQ(read_kept_limits(file).error().code, Code::not_found);
  other.machine = machine_name();
  ASSERT_TRUE(write_file(file, dump_json(to_json_value(other))));
  EXPECT_TRUE(read_kept_limits(file));
}

TEST(KeptLimits, MeasuringAgainKeepsTheBest) {
  auto folder = TempFolder::create("kept");
  ASSERT_TRUE(folder);
  const auto file = folder->path() / "measured.json";
  MeasuredLimits fast = limits_of(1e15, 1e18, 0, 1000);
  fast.machine = machine_name();
  ASSERT_TRUE(write_file(file, dump_json(to_json_value(fast))));
  const ProbeOptions quick{
      .folder = folder->path(), .buffer_bytes = 16 << 20, .file_bytes = 4 << 20, .seconds_per_point = 0.01};
  ASSERT_TRUE(measure_and_keep(file, quick));
  auto kept = read_kept_limits(file);
  ASSERT_TRUE(kept) << kept.error().to_string();
  EXPECT_DOUBLE_EQ(best_memory_read_bytes_per_s(*kept), 1e15);
}

TEST(KeptLimits, AgeIsTold) {
  const MeasuredLimits idle = limits_of(1, 1, 0.01, 1000), busy = limits_of(1, 1, 1.4, 1000);
  EXPECT_EQ(age_in_words(idle, 1030), "measured just now");
  EXPECT_EQ(age_in_words(idle, 1000 + 3600), "measured 1 hour ago");
  EXPECT_EQ(age_in_words(idle, 1000 + 3 * 86400), "measured 3 days ago");
  EXPECT_NE(age_in_words(busy, 1030).find("1.4 of 2 cores"), std::string::npos);
}

TEST(Busy, OthersAreWhatIsNotOurs) {
  EXPECT_DOUBLE_EQ(cores_of_others({100, 10}, {104, 11}, 2), 1.5);
  EXPECT_DOUBLE_EQ(cores_of_others({100, 10}, {101, 12}, 2), 0) << "ticks are coarse: never negative";
  EXPECT_DOUBLE_EQ(cores_of_others({100, 10}, {104, 11}, 0), 0);
}

TEST(Busy, ReadsTheFirstLineOfStat) {
  auto folder = TempFolder::create("stat");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file(folder->path() / "stat", "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 2 3 4\n"));
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(read_cpu_times(folder->path())->all_s, 171 / ticks);
  ASSERT_TRUE(write_file(folder->path() / "stat", "intr 1\n"));
  EXPECT_FALSE(read_cpu_times(folder->path()));
  EXPECT_FALSE(read_cpu_times(folder->path() / "nowhere"));
}

}  // namespace
}  // namespace hearth::kept_limits_test
