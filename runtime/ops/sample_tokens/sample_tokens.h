// sample_tokens: one token a row of logits, drawn where the logits are.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// temperature: 0 is the largest logit. top_k, top_p, min_p: 0, 1 and 0 are off. uniform: from 0 up to 1, as the nearest
// float and what that leaves.
struct DrawChoice {
  float temperature = 0, top_k = 0, top_p = 1, min_p = 0, uniform = 0, uniform_rest = 0;
};
inline constexpr int kDrawNumbers = sizeof(DrawChoice) / sizeof(float);

// logits [T, V] f32, choices [T, 6] f32, a row of DrawChoice each → ids [T] i32; -1 where the largest logit is no
// finite number. Truncation and order are the engine's sampler's (inference/sampling.h), whose draw for the same
// uniform number this is.
class SampleTokens final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
