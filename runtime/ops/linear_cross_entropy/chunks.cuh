// Logits of a product a chunk of tokens at a time, on CUDA: what linear_cross_entropy and token_logprobs share. A chunk's
// logits, then their gradient in their place, lie in scratch.
#pragma once

#include "runtime/kernels/product.cuh"
#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int64_t kChunkBytes = int64_t{256} << 20, kChunkGrain = 128;

int64_t at_most(int64_t most, int64_t n) {
  return n < most ? n : most;
}

// Sizes, and where things lie in scratch, in floats: logits of a chunk, the tokens' losses, a panel of w.
struct Layout {
  int64_t T, V, C;
  int64_t chunk() const {
    const int64_t fit = kChunkBytes / (4 * (V > 0 ? V : 1)) / kChunkGrain * kChunkGrain;
    return at_most(T, fit < kChunkGrain ? kChunkGrain : fit);
  }
  int64_t panel_begin() const { return (chunk() * V + T + 63) / 64 * 64; }  // aligned as BLAS likes it
};

RowOperand rows(const float* data, int64_t ld) {
  return {Dtype::f32, data, false, ld};
}
RowOperand transposed(const float* data, int64_t ld) {
  return {Dtype::f32, data, true, ld};
}

__device__ float logit(float y, float factor, float cap) {
  return cap > 0 ? cap * tanhf(factor * y) : factor * y;
}

// One row of y: weighted loss of its token, or without weights its log-probability; then, with is_backward, the gradient
// of (*dloss or -1) · weight · loss towards y in its place.
__global__ void row_kernel(float* y, const int32_t* targets, const float* weights, const float* dloss, bool is_backward,
                           float* weighted, int64_t V, float factor, float cap) {
  const int64_t t = blockIdx.x;
  float* row = y + t * V;
  const int32_t target = targets[t];
  const bool learned = target >= 0 && target < V;
  float largest = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) largest = fmaxf(largest, logit(row[v], factor, cap));
  largest = block_max(largest);
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) sum += expf(logit(row[v], factor, cap) - largest);
  const float lse = largest + logf(block_sum(sum));
  if (threadIdx.x == 0)
    weighted[t] = learned ? (weights != nullptr ? weights[t] : -1.0f) * (lse - logit(row[target], factor, cap)) : 0.0f;
  __syncthreads();
  if (!is_backward) return;
  const float outer = dloss != nullptr ? *dloss : -1.0f;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) {
    const float z = logit(row[v], factor, cap), p = expf(z - lse) - (v == target ? 1.0f : 0.0f);
    const float slope = cap > 0 ? cap * (1 - z / cap * (z / cap)) : 1.0f;
    row[v] = learned ? outer * weights[t] * p * factor * slope : 0.0f;
  }
}

__global__ void sum_losses_kernel(const float* weighted, float* loss, int64_t T) {
  float sum = 0;
  for (int64_t t = threadIdx.x; t < T; t += blockDim.x) sum += weighted[t];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = sum;
}

// What is asked of the logits: see the CPU's chunks.h. dloss null: -1, where the weights are gradients of
// log-probabilities.
struct ChunkedLogits {
  LogitForm form;
  const float* weights = nullptr;
  float *loss = nullptr, *logprobs = nullptr, *dx = nullptr, *dw = nullptr;
  const float* dloss = nullptr;
};

// (x, w, targets, ...)
void run_chunks(const KernelArgs& args, Stream stream, const ChunkedLogits& wanted) {
  const TensorView& w = args.inputs[1];
  const Layout s{args.inputs[0].dim(0), w.dim(0), args.inputs[0].dim(1)};
  auto* y = reinterpret_cast<float*>(args.scratch);
  float* weighted = wanted.logprobs != nullptr ? wanted.logprobs : y + s.chunk() * s.V;
  auto* panel = reinterpret_cast<std::byte*>(y + s.panel_begin());
  for (int64_t t = 0; t < s.T; t += s.chunk()) {
    const int64_t n = at_most(s.chunk(), s.T - t);
    const float* x = args.inputs[0].f32() + t * s.C;
    for_panels<float>(w, true, panel, stream, [&](const Panel& part) {
      multiply(stream, {n, part.n, s.C, rows(x, s.C), part.numbers, Dtype::f32, y + part.first, s.V, false});
    });
    launch_kernel<row_kernel>(static_cast<unsigned>(n), kBlock, 0, stream, y, args.inputs[2].i32() + t,
                              wanted.weights != nullptr ? wanted.weights + t : nullptr, wanted.dloss,
                              wanted.dx != nullptr, weighted + t, s.V, wanted.form.factor, wanted.form.cap);
    if (wanted.dx == nullptr) continue;
    for_panels<float>(w, false, panel, stream, [&](const Panel& part) {
      multiply(stream, {n, part.n, s.V, rows(y, s.V), part.numbers, Dtype::f32, wanted.dx + t * s.C + part.first, s.C});
    });
    if (wanted.dw != nullptr)
      multiply(stream, {s.V, s.C, n, transposed(y, s.V), rows(x, s.C), Dtype::f32, wanted.dw, s.C, t > 0});
  }
  if (wanted.loss != nullptr) launch_kernel<sum_losses_kernel>(1, kBlock, 0, stream, weighted, wanted.loss, s.T);
}

Kernel chunked_kernel(void (*launch)(const KernelArgs&, const Worker&), Types inputs) {
  const TensorType &x = inputs[0], &w = inputs[1];
  if (!reads_on_device(w.dtype) || x.shape[0] == 0 || w.shape[0] == 0 || x.shape[1] == 0) return {};
  const Layout s{x.shape[0], w.shape[0], x.shape[1]};
  return {launch, static_cast<size_t>(s.panel_begin()) * sizeof(float) + panel_bytes(w, Dtype::f32)};
}

}  // namespace
}  // namespace hearth::HEARTH_GPU
