// linear_cross_entropy and its backward, CUDA
// math:     y = x · wᵀ;  z = factor y, or cap tanh(factor y);  lse[t] = log Σ_v exp z[t,v]
//           loss = Σ_t weights[t] (lse[t] - z[t, targets[t]])
//           dz = dloss weights[t] (exp(z - lse[t]) - [v = targets[t]]);  dx = dy · w;  dw = dyᵀ · x
// shapes:   x, dx [T,C] f32, w [V,C] any weight dtype but the grid ones, dw [V,C] f32, targets [T] i32,
//           weights [T] f32, loss, dloss [1]
// traffic:  2·T·V·C flops, backward 4 or 6: compute bound
// mapping:  tokens in chunks, whose logits, then their gradient in their place, lie in scratch; products by BLAS, a w
//           that is not f32 widened in panels of rows; one block a row of logits
// needs:    nothing
// numerics: fp32; the largest logit is subtracted; sums in fixed trees
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

// One row of y: weighted loss of its token; then, with dloss, the gradient towards y in its place.
__global__ void row_kernel(float* y, const int32_t* targets, const float* weights, const float* dloss, float* weighted,
                           int64_t V, float factor, float cap) {
  const int64_t t = blockIdx.x;
  float* row = y + t * V;
  const int32_t target = targets[t];
  const bool learned = target >= 0 && target < V;
  float largest = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) largest = fmaxf(largest, logit(row[v], factor, cap));
  largest = block_max(largest);
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) sum += expf(logit(row[v], factor, cap) - largest);
  const float lse = largest + logf(block_sum(sum));
  if (threadIdx.x == 0) weighted[t] = learned ? weights[t] * (lse - logit(row[target], factor, cap)) : 0.0f;
  __syncthreads();
  if (dloss == nullptr) return;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) {
    const float z = logit(row[v], factor, cap), p = expf(z - lse) - (v == target ? 1.0f : 0.0f);
    const float slope = cap > 0 ? cap * (1 - z / cap * (z / cap)) : 1.0f;
    row[v] = learned ? *dloss * weights[t] * p * factor * slope : 0.0f;
  }
}

__global__ void sum_losses_kernel(const float* weighted, float* loss, int64_t T) {
  float sum = 0;
  for (int64_t t = threadIdx.x; t < T; t += blockDim.x) sum += weighted[t];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = sum;
}

// dx null: the loss alone. dw null: w is frozen.
void run(const KernelArgs& args, Stream stream, const LogitForm& form, float* dx, float* dw, const float* dloss) {
  const TensorView& w = args.inputs[1];
  const Layout s{args.inputs[0].dim(0), w.dim(0), args.inputs[0].dim(1)};
  auto* y = reinterpret_cast<float*>(args.scratch);
  float* weighted = y + s.chunk() * s.V;
  auto* panel = reinterpret_cast<std::byte*>(y + s.panel_begin());
  for (int64_t t = 0; t < s.T; t += s.chunk()) {
    const int64_t n = at_most(s.chunk(), s.T - t);
    const float* x = args.inputs[0].f32() + t * s.C;
    for_panels(w, panel, stream, [&](int64_t row, int64_t n_rows, const float* wide) {
      multiply(stream, {n, n_rows, s.C, rows(x, s.C), transposed(wide, s.C), Dtype::f32, y + row, s.V, false});
    });
    launch_kernel<row_kernel>(static_cast<unsigned>(n), kBlock, 0, stream, y, args.inputs[2].i32() + t,
                              args.inputs[3].f32() + t, dloss, weighted + t, s.V, form.factor, form.cap);
    if (dx == nullptr) continue;
    for_panels(w, panel, stream, [&](int64_t row, int64_t n_rows, const float* wide) {
      multiply(stream, {n, s.C, n_rows, rows(y + row, s.V), rows(wide, s.C), Dtype::f32, dx + t * s.C, s.C, row > 0});
    });
    if (dw != nullptr) multiply(stream, {s.V, s.C, n, transposed(y, s.V), rows(x, s.C), Dtype::f32, dw, s.C, t > 0});
  }
  launch_kernel<sum_losses_kernel>(1, kBlock, 0, stream, weighted, args.outputs[0].f32(), s.T);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  run(args, stream_of(me), static_cast<const LinearCrossEntropy&>(*args.op).form, nullptr, nullptr, nullptr);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const LinearCrossEntropyBackward&>(*args.op);
  run(args, stream_of(me), op.form, args.outputs[1].f32(), op.trains_w ? args.outputs[2].f32() : nullptr,
      args.inputs[4].f32());
}

Kernel kernel_with(void (*launch)(const KernelArgs&, const Worker&), Types inputs) {
  const TensorType &x = inputs[0], &w = inputs[1];
  if (!reads_on_device(w.dtype) || x.shape[0] == 0 || w.shape[0] == 0 || x.shape[1] == 0) return {};
  const Layout s{x.shape[0], w.shape[0], x.shape[1]};
  return {launch, static_cast<size_t>(s.panel_begin()) * sizeof(float) + panel_bytes(w)};
}

}  // namespace

template <>
Kernel kernel_for(const LinearCrossEntropy&, Types inputs) {
  return kernel_with(launch_forward, inputs);
}
template <>
Kernel kernel_for(const LinearCrossEntropyBackward&, Types inputs) {
  return kernel_with(launch_backward, inputs);
}

}  // namespace hearth::HEARTH_GPU
