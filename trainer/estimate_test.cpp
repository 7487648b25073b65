// Estimates: the number of steps is exact for small data, memory is what the run will touch, words carry the figures.
#include "trainer/estimate.h"

#include <gtest/gtest.h>

#include "trainer/stepper.h"
#include "trainer/test_model.h"

namespace hearth::train::estimate_test {
namespace {

TEST(Estimate, FollowsTheGraph) {
  const TempFolder temp = *TempFolder::create("estimate");
  make_tiny_folder(temp.path() / "tiny");
  ASSERT_TRUE(write_file(temp.path() / "data.jsonl", plus_one_jsonl(100)));
  Recipe r;
  r.model.from_scratch = (temp.path() / "tiny").string();
  r.data.path = (temp.path() / "data.jsonl").string();
  r.data.max_seq_len = 64;
  r.batch.rows = 4;
  r.schedule.n_epochs = 2;
  const auto small = estimate_training(r, {});
  ASSERT_TRUE(small) << small.error().to_string();
  EXPECT_GT(small->n_steps, 5);
  EXPECT_GT(small->n_tokens, 100 * 10);
  EXPECT_GT(small->seconds, 0);
  EXPECT_NE(small->explanation.find(std::to_string(small->n_steps) + " steps"), std::string::npos)
      << small->explanation;

  const Beginning base = *load_base(r, {});
  ModelInTraining model = *make_model(r, base);
  const std::unique_ptr<CpuBackend> device = open_cpu(1);
  const Stepper stepper = *Stepper::create(model, {.n_tokens = 4 * 64}, *device);
  EXPECT_NEAR(static_cast<double>(small->peak_memory_bytes),
              static_cast<double>(stepper.memory_bytes() + model.bytes()),
              0.02 * static_cast<double>(small->peak_memory_bytes) + 2097152.0);  // arenas are whole huge pages

  r.batch.rows = 8;
  const auto large = estimate_training(r, {});
  ASSERT_TRUE(large);
  EXPECT_GT(large->peak_memory_bytes, small->peak_memory_bytes);
  EXPECT_GT(large->flops_per_step, 1.8 * small->flops_per_step);
  EXPECT_LT(large->n_steps, small->n_steps);
  r.data.path = (temp.path() / "none.jsonl").string();
  EXPECT_EQ(estimate_training(r, {}).error().code, Code::not_found);
}

}  // namespace
}  // namespace hearth::train::estimate_test
