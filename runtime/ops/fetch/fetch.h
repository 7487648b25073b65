// fetch: a parameter that stays in the host's memory, brought to where kernels read it. graph/offload.cpp places it; a
// plan runs it on the lane of copies, beside kernels.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x, any shape and dtype → the same bytes, in the device's memory.
class Fetch final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
