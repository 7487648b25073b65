// The in-process communicator: sums by rank, ranges of any size, and what happens when ranks disagree or leave.
#include "runtime/comm/in_process.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <thread>

namespace hearth::in_process_test {
namespace {

constexpr int kRanks = 3;

// What each rank's call returned.
std::vector<Result<void>> on_all(InProcessGroup& group, const std::function<Result<void>(Communicator&)>& call) {
  std::vector<Result<void>> out(kRanks);
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < kRanks; ++rank)
      threads.emplace_back([&, rank] { out[static_cast<size_t>(rank)] = call(group.communicator(rank)); });
  }
  return out;
}

void expect_fine(const std::vector<Result<void>>& results) {
  for (const Result<void>& result : results) EXPECT_TRUE(result) << result.error().to_string();
}

TEST(InProcess, ReductionsRunInTheOrderOfRanks) {
  InProcessGroup group(kRanks);
  const float values[kRanks] = {1e8f, 1.0f, -1e8f};  // (1e8 + 1) - 1e8 is 0 in floats, another order gives 1
  std::vector<float> sums(kRanks), largest(kRanks), lse(kRanks);
  expect_fine(on_all(group, [&](Communicator& comm) -> Result<void> {
    const auto r = static_cast<size_t>(comm.rank());
    TRY(comm.all_reduce(Reduction::sum, {&values[r], 1}, {&sums[r], 1}));
    TRY(comm.all_reduce(Reduction::max, {&values[r], 1}, {&largest[r], 1}));
    const float small = static_cast<float>(r);
    return comm.all_reduce(Reduction::log_sum_exp, {&small, 1}, {&lse[r], 1});
  }));
  for (size_t r = 0; r < kRanks; ++r) {
    EXPECT_EQ(sums[r], 0.0f);
    EXPECT_EQ(largest[r], 1e8f);
    EXPECT_NEAR(lse[r], std::log(1 + std::exp(1) + std::exp(2)), 1e-6);
    EXPECT_EQ(lse[r], lse[0]);
  }
}

TEST(InProcess, RangesMayHaveAnySize) {
  InProcessGroup group(kRanks);
  const std::vector<int64_t> offsets{0, 1, 1, 4};
  std::vector<std::vector<std::byte>> all(kRanks, std::vector<std::byte>(4));
  std::vector<std::vector<float>> mine{std::vector<float>(1), {}, std::vector<float>(3)};
  std::vector<std::vector<std::byte>> swapped(kRanks, std::vector<std::byte>(kRanks));
  const std::vector<int64_t> one_each{0, 1, 2, 3};
  expect_fine(on_all(group, [&](Communicator& comm) -> Result<void> {
    const auto r = static_cast<size_t>(comm.rank());
    const std::vector<std::byte> own(static_cast<size_t>(offsets[r + 1] - offsets[r]), std::byte(r + 1));
    TRY(comm.all_gather(own, offsets, all[r]));
    const std::vector<float> four{1, 2, 3, 4};
    TRY(comm.reduce_scatter(Reduction::sum, four, offsets, mine[r]));
    const std::vector<std::byte> to_each{std::byte(10 * r), std::byte(10 * r + 1), std::byte(10 * r + 2)};
    return comm.all_to_all(to_each, one_each, swapped[r], one_each);
  }));
  for (const auto& bytes : all) EXPECT_EQ(bytes, (std::vector{std::byte(1), std::byte(3), std::byte(3), std::byte(3)}));
  EXPECT_EQ(mine[0], std::vector<float>{3});
  EXPECT_EQ(mine[2], (std::vector<float>{6, 9, 12}));
  EXPECT_EQ(swapped[1], (std::vector{std::byte(1), std::byte(11), std::byte(21)}));
}

TEST(InProcess, RanksThatDisagreeAreTold) {
  InProcessGroup group(kRanks);
  const auto results = on_all(group, [&](Communicator& comm) {
    std::vector<float> in(comm.rank() == 2 ? 2 : 1), out(in.size());
    return comm.all_reduce(Reduction::sum, in, out);
  });
  for (const Result<void>& result : results) EXPECT_FALSE(result);
  EXPECT_NE(group.communicator(0).status().error().message.find("all_reduce of"), std::string::npos);
}

TEST(InProcess, WhoeverWaitsForOneThatLeftIsTold) {
  InProcessGroup group(kRanks);
  const auto results = on_all(group, [&](Communicator& comm) -> Result<void> {
    if (comm.rank() == 1) return group.leave(error(Code::unavailable, "the lights went out")), Result<void>();
    const float in = 1;
    float out = 0;
    return comm.all_reduce(Reduction::sum, {&in, 1}, {&out, 1});
  });
  EXPECT_TRUE(results[1]);
  for (size_t r : {0u, 2u}) EXPECT_EQ(results[r].error().message, "the lights went out");
  EXPECT_FALSE(group.communicator(1).status());
}

}  // namespace
}  // namespace hearth::in_process_test
