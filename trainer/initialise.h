// Initial weights of a model trained from nothing, and of low-rank updates. The same bits on every machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/architectures/architecture.h"

namespace hearth::train {

// Matrices and embeddings: normal with config.init_std, those that write to the residual stream (wo, w_down) divided by
// sqrt(2 n_layers), so that its variance does not grow with depth. Norms: 1. Biases: 0.
void initialise(const ParameterSpec& spec, const ModelConfig& config, uint64_t seed, const TensorView& out);

// lora_a: uniform in ±1/sqrt(in); lora_b: 0, so that training starts at the base model.
void initialise_lora(std::string_view name, uint64_t seed, const TensorView& out);

}  // namespace hearth::train
