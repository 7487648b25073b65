// decay: how fast a recurrence forgets, from a projection of each token; and its backward. The gates of gated delta
// nets and of Mamba 2.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [T, H] f32, a_log [H], bias [H] f32 → log_decay [T, H] f32 = -e^a_log · step and step [T, H] f32 = softplus(a +
// bias), not below min_step and not above max_step.
class Decay final : public Op {
 public:
  Decay(float min_step, float max_step) : min_step(min_step), max_step(max_step) {}
  HEARTH_OP_RULES;
  const float min_step, max_step;
};

// (a, a_log, bias[, dlog_decay][, dstep]), those of the last two that exist → (da, da_log, dbias).
class DecayBackward final : public Op {
 public:
  DecayBackward(float min_step, float max_step, bool has_dlog_decay, bool has_dstep)
      : min_step(min_step), max_step(max_step), has_dlog_decay(has_dlog_decay), has_dstep(has_dstep) {}
  HEARTH_OP_RULES;
  const float min_step, max_step;
  const bool has_dlog_decay, has_dstep;
};

}  // namespace hearth
