// See course.h.
#include "trainer/optim/course.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hearth::train {

double LearningRateCourse::at(int64_t step) const {
  if (step <= warmup_steps) return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
  if (n_steps <= warmup_steps) return peak;
  const double part = std::min(1.0, static_cast<double>(step - warmup_steps) / static_cast<double>(n_steps - warmup_steps));
  return peak * (min_ratio + (1 - min_ratio) * 0.5 * (1 + std::cos(std::numbers::pi * part)));
}

int64_t count_steps(const Recipe& recipe, int64_t n_rows) {
  if (recipe.schedule.n_steps > 0) return recipe.schedule.n_steps;
  const double rows_per_step = static_cast<double>(recipe.batch.rows) * recipe.batch.gradient_accumulation;
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(recipe.schedule.n_epochs * static_cast<double>(n_rows) / rows_per_step)));
}

LearningRateCourse course_of(const Recipe& recipe, int64_t n_steps) {
  const RecipeSchedule& s = recipe.schedule;
  const double warmup = s.warmup_steps ? *s.warmup_steps : std::round(s.warmup_ratio * static_cast<double>(n_steps));
  return {recipe.optimizer.learning_rate, s.min_lr_ratio, std::min(n_steps, static_cast<int64_t>(warmup)), n_steps};
}

}  // namespace hearth::train
