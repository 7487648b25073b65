// route: which experts a token goes to, and with which weights; and its backward.
#pragma once

#include "runtime/ops/op.h"
#include "runtime/ops/route/routing.h"

namespace hearth {

// logits [T, E] f32, with `has_bias` also bias [E] f32 → weights [T, k] f32, ids [T, k] i32. Ids of a row are distinct,
// whatever the logits. Gradients flow to the logits through the weights; the choice has none.
class Route final : public Op {
 public:
  Route(Routing routing, bool has_bias) : routing(routing), has_bias(has_bias) {}
  HEARTH_OP_RULES;
  const Routing routing;
  const bool has_bias;
};

// (logits [T, E], ids [T, k], dweights [T, k]) → dlogits [T, E].
class RouteBackward final : public Op {
 public:
  explicit RouteBackward(Routing routing) : routing(routing) {}
  HEARTH_OP_RULES;
  const Routing routing;
};

}  // namespace hearth
