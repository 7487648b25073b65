// The loss of a vocabulary that is cut, for rules of sharding: parts exchange two rows of numbers.
#pragma once

#include "runtime/ops/rules.h"

namespace hearth {

struct PartLoss {
  Value loss;  // [1]
  Value lse;   // [T], of the whole vocabulary; 0 where there is no target
};
// logits [T, V] of this part, targets [T], weights [T].
PartLoss loss_of_part(const Part& part, Value logits, Value targets, Value weights);

}  // namespace hearth
