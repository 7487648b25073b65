// Which examples are held out: a share of the GROUPS of equal examples, chosen by a hash of their content, so that an
// example's side depends neither on its place in the file nor on how often it stands there.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "trainer/dataset.h"

namespace hearth::train {

struct ExampleGroup {
  uint64_t hash = 0;
  int64_t n_rows = 0, n_answer_tokens = 0;
};

// Where a group stands in the order in which groups are held out.
uint64_t split_place(uint64_t group, uint64_t seed);

// Hashes of the groups that are held out: round(fraction * groups), at least one, but never more than `fraction` of the
// rows or of the answer tokens: what was asked to be trained on is trained on. Little data holds out one row when its
// answer is no longer than the average. May be empty: everything is equal, or every group is too large.
std::unordered_set<uint64_t> choose_held_out(std::vector<ExampleGroup> groups, double fraction, uint64_t seed);

// The same for examples whose tokens are not known: answers count by their length.
struct Split {
  std::vector<Example> train, held_out;
};
Split split_examples(std::vector<Example> examples, double fraction, uint64_t seed);

}  // namespace hearth::train
