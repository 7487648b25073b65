// How long a run is, and the learning rate along the way.
#pragma once

#include <cstdint>

#include "trainer/recipe.h"

namespace hearth::train {

// Warm-up in equal steps, then a cosine from peak to peak * min_ratio at n_steps. step counts from 1.
struct LearningRateCourse {
  double peak = 1e-4, min_ratio = 0.1;
  int64_t warmup_steps = 0, n_steps = 1;
  double at(int64_t step) const;
};

// schedule.n_steps, or n_epochs over n_rows rows; at least 1.
int64_t count_steps(const Recipe& recipe, int64_t n_rows);
LearningRateCourse course_of(const Recipe& recipe, int64_t n_steps);

}  // namespace hearth::train
