// reshape: the same bytes under another shape; the planner shares the buffer.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → same dtype and element count, `shape`.
class Reshape final : public Op {
 public:
  explicit Reshape(Shape shape) : shape(shape) {}
  HEARTH_OP_RULES;
  const Shape shape;
};

}  // namespace hearth
