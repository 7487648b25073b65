// Every golden checkpoint on the emulated GPU: the CUDA kernels give the logits of the transformers library, and the
// gradients of the CPU and what AdamW makes of them. Each case has a seed of its own for the order of threads.
// AddressSanitizer makes it several times slower, and takes one case of each kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/golden/golden_engine.h"
#include "tests/golden/training_engine.h"

namespace hearth::golden::emulated_test {
namespace {

class Emulated : public testing::TestWithParam<fs::path> {};

TEST(EmulatedCases, AreThere) {
  EXPECT_GE(tested_cases().size(), 8u);
}

TEST_P(Emulated, LogitsEqualTransformers) {
  expect_logits_of_case(GetParam(), device_of(GetParam()));
}

TEST_P(Emulated, TrainingStepEqualsTheCpus) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  const auto expected = train_on("cpu", *model), got = train_on(device_of(GetParam()), *model);
  ASSERT_TRUE(expected) << expected.error().to_string();
  ASSERT_TRUE(got) << got.error().to_string();
  ASSERT_GT(expected->size(), 4u);
  // Some gradients are zero but for rounding (of a scale before a norm, of the router of one expert), so that no device
  // agrees with another: those, and their means, are compared with the others.
  std::map<std::string, double> largest;  // by kind
  for (const auto& [name, tensor] : *expected)
    if (kind_of(name) != "experts") largest[kind_of(name)] = std::max(largest[kind_of(name)], largest_of(tensor));
  for (const auto& [name, tensor] : *expected)
    if (kind_of(name) != "experts")
      EXPECT_LE(largest_difference(got->at(name), tensor),
                1e-4 * std::max(largest_of(tensor), 1e-2 * largest.at(kind_of(name))))
          << name;
}

INSTANTIATE_TEST_SUITE_P(Cases, Emulated, testing::ValuesIn(tested_cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return case_name(info.param); });

}  // namespace
}  // namespace hearth::golden::emulated_test
