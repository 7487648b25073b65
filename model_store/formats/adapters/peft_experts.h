// Low-rank changes of the experts in one tensor, as PEFT's target_parameters makes them: A [E * rank, ..] has the ranks
// of one expert after the other, B [.., rank * E] has for each rank all experts.
#pragma once

#include <utility>

#include "model_store/formats/storage_read.h"

namespace hearth {

struct ExpertChange {
  TensorView a, b;  // f32
  int rank = 0;
  bool swaps =
      false;  // where shapes do not tell it: A goes with the last axis of [E, out, in], not with the middle one
};

// A [rank, in] and B [out, rank] of expert `e` for a role of shape [E, out, in] that lies in a file as `storage` says.
// Errors: the shapes are another model's, or do not tell what goes with what.
Result<std::pair<Tensor, Tensor>> expert_factors(const ExpertChange& change, const Shape& role, const Storage& storage,
                                                 int64_t e);

}  // namespace hearth
