// The team runs every rank once per job, in any order, and its barrier separates phases.
#include "runtime/backend/cpu/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

namespace hearth::team_test {
namespace {

TEST(Team, EveryRankRunsOnceAJob) {
  for (int n : {1, 2, 3, 8}) {
    Team team(n);
    EXPECT_EQ(team.size(), n);
    std::vector<std::atomic<int>> calls(static_cast<size_t>(n));
    for (int job = 0; job < 200; ++job)
      team.run([&](const Worker& me) {
        EXPECT_EQ(me.size, n);
        ++calls[static_cast<size_t>(me.rank)];
      });
    for (const auto& count : calls) EXPECT_EQ(count, 200);
  }
}

TEST(Team, BarrierSeparatesPhases) {
  Team team(4);
  std::vector<int> written(4, -1);
  std::atomic<int> n_wrong = 0;
  team.run([&](const Worker& me) {
    for (int phase = 0; phase < 500; ++phase) {
      written[static_cast<size_t>(me.rank)] = phase;
      me.sync();
      for (int other : written) n_wrong += other != phase;
      me.sync();
    }
  });
  EXPECT_EQ(n_wrong, 0);
}

TEST(Team, WakesAfterSleeping) {
  // Long enough between jobs that the workers are past spinning, some of the time.
  Team team(3);
  std::atomic<int> sum = 0;
  for (int job = 0; job < 50; ++job) {
    volatile double busy = 0;
    for (int i = 0; i < 200000; ++i) busy = busy + 1;
    team.run([&](const Worker&) { ++sum; });
  }
  EXPECT_EQ(sum, 150);
}

TEST(Worker, SharesCoverTheRangeOnce) {
  for (int64_t n : {0, 1, 7, 64, 1000})
    for (int64_t grain : {1, 6, 64})
      for (int size : {1, 2, 3, 7}) {
        int64_t at = 0;
        for (int rank = 0; rank < size; ++rank) {
          const auto [begin, end] = Worker{rank, size, nullptr}.share(n, grain);
          EXPECT_EQ(begin, at);
          EXPECT_TRUE(begin % grain == 0 || begin == n);
          at = end;
        }
        EXPECT_EQ(at, n);
      }
}

}  // namespace
}  // namespace hearth::team_test
