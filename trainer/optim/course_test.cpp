// The learning rate's course and the number of steps.
#include "trainer/optim/course.h"

#include <gtest/gtest.h>

namespace hearth::train::course_test {
namespace {

TEST(LearningRate, WarmsUpAndFallsAlongACosine) {
  const LearningRateCourse c{.peak = 1, .min_ratio = 0.1, .warmup_steps = 10, .n_steps = 110};
  EXPECT_DOUBLE_EQ(c.at(1), 0.1);
  EXPECT_DOUBLE_EQ(c.at(10), 1);
  EXPECT_NEAR(c.at(60), 0.55, 1e-12);
  EXPECT_NEAR(c.at(110), 0.1, 1e-12);
  EXPECT_NEAR(c.at(500), 0.1, 1e-12);
  EXPECT_DOUBLE_EQ((LearningRateCourse{.peak = 2, .min_ratio = 1, .warmup_steps = 0, .n_steps = 1}.at(1)), 2);
}

TEST(Steps, FromEpochsOrAsSaid) {
  Recipe r;
  r.batch.rows = 4, r.batch.gradient_accumulation = 2, r.schedule.n_epochs = 3;
  EXPECT_EQ(count_steps(r, 100), 38);  // 300 rows by eights, rounded up
  EXPECT_EQ(count_steps(r, 1), 1);
  r.schedule.n_steps = 7;
  EXPECT_EQ(count_steps(r, 100), 7);
}

}  // namespace
}  // namespace hearth::train::course_test
