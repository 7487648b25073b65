// Logits of every position of a token sequence, without a cache, as in training.
#pragma once

#include <span>

#include "model_store/formats/load.h"

namespace hearth {

inline constexpr int kMaxLogitTokens = 8192;

// f32 [number of ids, V] by the whole-sequence graph. n_threads 0: all cores. device: as open_device() takes it.
Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads = 0,
                            const std::string& device = "cpu");

}  // namespace hearth
