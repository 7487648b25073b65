// Logits of a product a chunk of tokens at a time, on CUDA: what linear_cross_entropy and token_logprobs share. A
// chunk's logits, then their gradient in their place, lie in scratch.
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

__device__ float logit(float y, float factor, float cap) {
  return cap > 0 ? cap * tanhf(factor * y) : factor * y;
}

// What becomes of a logit's place: the gradient towards y, as an A. Those that are shorter lie at the beginning of the
// row, so what is there has to be read before: by all threads.
template <class A, class Gradient>
__device__ void put_gradients(float* row, int64_t V, Gradient gradient) {
  auto* out = reinterpret_cast<A*>(row);
  for (int64_t first = 0; first < V; first += blockDim.x) {
    const int64_t v = first + threadIdx.x;
    const float x = v < V ? gradient(v) : 0.0f;
    if constexpr (sizeof(A) < sizeof(float)) __syncthreads();
    if (v < V) out[v] = x;
  }
}

// One row of y: weighted loss of its token, or without weights its log-probability; then, with is_backward, the
// gradient of (*dloss or -1) · weight · loss towards y in its place.
template <class A>
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
  put_gradients<A>(row, V, [&](int64_t v) {
    const float z = logit(row[v], factor, cap), p = expf(z - lse) - (v == target ? 1.0f : 0.0f);
    const float slope = cap > 0 ? cap * (1 - z / cap * (z / cap)) : 1.0f;
    return learned ? outer * weights[t] * p * factor * slope : 0.0f;
  });
}

__global__ void sum_losses_kernel(const float* weighted, float* loss, int64_t T) {
  float sum = 0;
  for (int64_t t = threadIdx.x; t < T; t += blockDim.x) sum += weighted[t];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = sum;
}

// What is asked of the logits: see the CPU's chunks.h; dx is like x. dloss null: -1, where the weights are gradients of
// log-probabilities.
struct ChunkedLogits {
  LogitForm form;
  const float* weights = nullptr;
  float *loss = nullptr, *logprobs = nullptr;
  void* dx = nullptr;
  float* dw = nullptr;
  const float* dloss = nullptr;
};

template <class A>
void run_chunks_of(const KernelArgs& args, Stream stream, const ChunkedLogits& wanted) {
  const TensorView& w = args.inputs[1];
  const Layout s{args.inputs[0].dim(0), w.dim(0), args.inputs[0].dim(1)};
  const Dtype dtype = kDtypeOf<A>;
  auto* y = reinterpret_cast<float*>(args.scratch);
  float* weighted = wanted.logprobs != nullptr ? wanted.logprobs : y + s.chunk() * s.V;
  auto* panel = reinterpret_cast<std::byte*>(y + s.panel_begin());
  for (int64_t t = 0; t < s.T; t += s.chunk()) {
    const int64_t n = at_most(s.chunk(), s.T - t);
    const RowOperand x{dtype, static_cast<const A*>(args.inputs[0].data) + t * s.C, false, s.C};
    for_panels<A>(w, true, panel, stream, [&](const Panel& part) {
      multiply(stream, {n, part.n, s.C, x, part.numbers, Dtype::f32, y + part.first, s.V});
    });
    launch_kernel<row_kernel<A>>(static_cast<unsigned>(n), kBlock, 0, stream, y, args.inputs[2].i32() + t,
                                 wanted.weights != nullptr ? wanted.weights + t : nullptr, wanted.dloss,
                                 wanted.dx != nullptr, weighted + t, s.V, wanted.form.factor, wanted.form.cap);
    if (wanted.dx == nullptr) continue;
    RowOperand dy{dtype, y, false, static_cast<int64_t>(s.V * sizeof(float) / sizeof(A))};
    for_panels<A>(w, false, panel, stream, [&](const Panel& part) {
      multiply(stream,
               {n, part.n, s.V, dy, part.numbers, dtype, static_cast<A*>(wanted.dx) + t * s.C + part.first, s.C});
    });
    dy.transposes = true;
    if (wanted.dw != nullptr) multiply(stream, {s.V, s.C, n, dy, x, Dtype::f32, wanted.dw, s.C, t > 0});
  }
  if (wanted.loss != nullptr) launch_kernel<sum_losses_kernel>(1, kBlock, 0, stream, weighted, wanted.loss, s.T);
}

// (x, w, targets, ...)
void run_chunks(const KernelArgs& args, Stream stream, const ChunkedLogits& wanted) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() { run_chunks_of<A>(args, stream, wanted); });
}

Kernel chunked_kernel(void (*launch)(const KernelArgs&, const Worker&), Types inputs) {
  const TensorType &x = inputs[0], &w = inputs[1];
  if (!reads_on_device(w.dtype) || x.shape[0] == 0 || w.shape[0] == 0 || x.shape[1] == 0) return {};
  const Layout s{x.shape[0], w.shape[0], x.shape[1]};
  return {launch, static_cast<size_t>(s.panel_begin()) * sizeof(float) + panel_bytes(w, x.dtype)};
}

}  // namespace
}  // namespace hearth::HEARTH_GPU
