// Logits of every position of a token sequence, two ways: whole (no cache, as in training) and served (through the
// cache).
#pragma once

#include <span>

#include "inference/step_runner.h"
#include "model_store/formats/load.h"

namespace hearth {

inline constexpr int kMaxLogitTokens = 8192;

// f32 [number of ids, V] by the whole-sequence graph. n_threads 0: all cores.
Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads = 0);

// The same through prefill chunks of `chunk` tokens and then single-token steps for the last `n_decoded` ids.
Result<Tensor> served_logits(std::shared_ptr<const LoadedModel> model, std::span<const int32_t> ids, int chunk,
                             int n_decoded, Dtype cache_dtype, int n_threads = 0);

}  // namespace hearth
