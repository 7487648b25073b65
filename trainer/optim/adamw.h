// AdamW on f32 master weights, and the global gradient norm. Results do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/backend/cpu/team.h"
#include "runtime/tensor/tensor.h"

namespace hearth::train {

// One trained tensor with its optimizer state; all f32 of one shape.
struct Trainable {
  std::string name;     // its name in the graph
  bool decays = false;  // matrices and embeddings do, norms and biases do not
  Tensor weight, m, v;  // m, v: running means of gradient and squared gradient
};

struct AdamWOptions {
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0;
};

// sqrt of the sum of squares over all gradients; NaN or infinite when any is. Summed in double in a fixed order.
double global_norm(Team& team, std::span<const std::span<const float>> grads);

// One fused pass over weight, m, v and gradient:
//   g = grad_scale * grad;  m += (1 - beta1)(g - m);  v += (1 - beta2)(g² - v)
//   w -= lr * (m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps) + weight_decay * w)
// step counts from 1. grads[i] belongs to trainables[i].
void adamw_step(Team& team, std::span<Trainable> trainables, std::span<const std::span<const float>> grads,
                double grad_scale, int64_t step, const AdamWOptions& options);

// sum[i] += grad[i], all tensors.
void accumulate(Team& team, std::span<const std::span<float>> sums, std::span<const std::span<const float>> grads);

}  // namespace hearth::train
