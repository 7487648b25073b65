// The held-out part: groups of equal examples, never more than was asked for.
#include "trainer/data/split.h"

#include <gtest/gtest.h>

#include "trainer/random.h"

namespace hearth::train::split_test {
namespace {

struct Sides {
  int64_t rows = 0, tokens = 0, held_rows = 0, held_tokens = 0;
};
Sides split(const std::vector<ExampleGroup>& groups, double fraction, uint64_t seed) {
  const auto held = choose_held_out(groups, fraction, seed);
  Sides out;
  for (const ExampleGroup& g : groups) {
    out.rows += g.n_rows, out.tokens += g.n_answer_tokens;
    if (held.contains(g.hash)) out.held_rows += g.n_rows, out.held_tokens += g.n_answer_tokens;
  }
  return out;
}
std::vector<ExampleGroup> groups(std::initializer_list<std::pair<int, int>> rows_and_tokens) {
  std::vector<ExampleGroup> out;
  for (const auto& [rows, tokens] : rows_and_tokens)
    out.push_back({mix64(out.size() + 17), rows, static_cast<int64_t>(rows) * tokens});
  return out;
}

TEST(ChooseHeldOut, WhatWasAskedToBeTrainedOnIs) {
  std::vector<std::vector<ExampleGroup>> sets(4);
  for (int i = 0; i < 10; ++i) sets[0].push_back({mix64(i), 10, 190 + i % 3});  // ten times ten
  for (int i = 0; i < 20; ++i) sets[1].push_back({mix64(i), 5, 95});            // five times twenty
  for (int i = 0; i < 100; ++i) sets[2].push_back({mix64(i), 1, 19 + i % 5});   // all different
  sets[3].push_back({mix64(1000), 91, 91 * 8});                                 // one row 91 times among others
  for (int i = 0; i < 9; ++i) sets[3].push_back({mix64(i), 1, 8});
  for (const auto& set : sets)
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const Sides s = split(set, 0.1, seed);
      EXPECT_GT(s.held_rows, 0);
      EXPECT_LE(s.held_rows * 10, s.rows);
      EXPECT_LE(s.held_tokens * 10, s.tokens);
    }
  EXPECT_EQ(split(sets[3], 0.1, 3).held_rows, 1);
  EXPECT_EQ(split(sets[1], 0.1, 3).held_rows, 10);  // two of twenty groups
}

TEST(ChooseHeldOut, LittleAndEqualData) {
  EXPECT_EQ(split(groups({{5, 9}}), 0.5, 1).held_rows, 0);                   // all equal
  EXPECT_EQ(split(groups({{1, 9}, {1, 9}, {1, 9}}), 0.05, 1).held_rows, 1);  // less than a row was asked for
  EXPECT_EQ(split(groups({{1, 1000}, {1, 4}, {1, 4}}), 0.05, 1).held_tokens, 4);
  EXPECT_EQ(split(groups({{10, 9}, {10, 9}}), 0.1, 1).held_rows, 0);  // every group is more than that
  EXPECT_EQ(split(groups({{1, 9}, {1, 9}}), 0, 1).held_rows, 0);
  EXPECT_EQ(split({}, 0.1, 1).rows, 0);
}

TEST(ChooseHeldOut, DependsOnContentAndSeedOnly) {
  std::vector<ExampleGroup> a;
  for (int i = 0; i < 50; ++i) a.push_back({mix64(i), 1, 10});
  std::vector<ExampleGroup> b(a.rbegin(), a.rend());
  EXPECT_EQ(choose_held_out(a, 0.1, 3), choose_held_out(b, 0.1, 3));
  EXPECT_NE(choose_held_out(a, 0.1, 3), choose_held_out(a, 0.1, 4));
}

}  // namespace
}  // namespace hearth::train::split_test
