// cross_entropy and its backward, CUDA
// math:     lse[t] = log Σ_v exp(logits[t,v]);  loss = Σ_t weights[t] (lse[t] - logits[t, targets[t]])
//           dlogits[t,v] = dloss weights[t] (exp(logits[t,v] - lse[t]) - [v = targets[t]])
// shapes:   logits, dlogits [T,V] f32, targets [T] i32, weights, lse [T] f32, loss, dloss [1]; scratch [T] f32
// traffic:  8 B an element: memory bound
// mapping:  one block a row; the loss on one block
// needs:    nothing
// numerics: the largest logit is subtracted; sums in fixed trees
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/cross_entropy/cross_entropy.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void row_loss_kernel(const float* logits, const int32_t* targets, const float* weights, float* lse,
                                float* weighted, int64_t V) {
  const int64_t t = blockIdx.x;
  const float* row = logits + t * V;
  const int32_t target = targets[t];
  if (target < 0) {
    if (threadIdx.x == 0) lse[t] = weighted[t] = 0;
    return;
  }
  float largest = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) largest = fmaxf(largest, row[v]);
  largest = block_max(largest);
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) sum += expf(row[v] - largest);
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  lse[t] = largest + logf(sum);
  weighted[t] = weights[t] * (lse[t] - row[target]);
}

__global__ void total_kernel(const float* weighted, float* loss, int64_t T) {
  float sum = 0;
  for (int64_t t = threadIdx.x; t < T; t += blockDim.x) sum += weighted[t];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = sum;
}

__global__ void dlogits_kernel(const float* logits, const int32_t* targets, const float* weights, const float* lse,
                               const float* dloss, float* dlogits, int64_t V, int64_t begin) {
  const int64_t t = blockIdx.x, target = targets[t] - begin;
  const bool learns = targets[t] >= 0;
  const float factor = learns ? *dloss * weights[t] : 0.0f;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) {
    const float p = learns ? expf(logits[t * V + v] - lse[t]) : 0.0f;
    dlogits[t * V + v] = factor * (p - (v == target ? 1.0f : 0.0f));
  }
}

__global__ void part_kernel(const float* logits, const int32_t* targets, float* lse, float* picked, float* learns,
                            int64_t V, int64_t begin) {
  const int64_t t = blockIdx.x, target = targets[t] - begin;
  const float* row = logits + t * V;
  if (targets[t] < 0) {
    if (threadIdx.x == 0) lse[t] = picked[t] = learns[t] = 0;
    return;
  }
  float largest = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) largest = fmaxf(largest, row[v]);
  largest = block_max(largest);
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x) sum += expf(row[v] - largest);
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  lse[t] = largest + logf(sum);
  picked[t] = target >= 0 && target < V ? row[target] : 0.0f;
  learns[t] = 1;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  auto* weighted = reinterpret_cast<float*>(args.scratch);
  if (T > 0)
    launch_kernel<row_loss_kernel>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                   args.inputs[1].i32(), args.inputs[2].f32(), args.outputs[1].f32(), weighted, V);
  launch_kernel<total_kernel>(1, kBlock, 0, stream_of(me), weighted, args.outputs[0].f32(), T);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  if (T > 0)
    launch_kernel<dlogits_kernel>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                  args.inputs[1].i32(), args.inputs[2].f32(), args.inputs[3].f32(),
                                  args.inputs[4].f32(), args.outputs[0].f32(), V,
                                  static_cast<const CrossEntropyBackward&>(*args.op).begin);
}

void launch_part(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  if (T > 0)
    launch_kernel<part_kernel>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                               args.inputs[1].i32(), args.outputs[0].f32(), args.outputs[1].f32(),
                               args.outputs[2].f32(), V, static_cast<const CrossEntropyPart&>(*args.op).begin);
}

}  // namespace

template <>
Kernel kernel_for(const CrossEntropy&, Types inputs) {
  return {launch_forward, static_cast<size_t>(inputs[0].shape[0]) * sizeof(float)};
}
template <>
Kernel kernel_for(const CrossEntropyBackward&, Types) {
  return {launch_backward};
}
template <>
Kernel kernel_for(const CrossEntropyPart&, Types) {
  return {launch_part};
}

}  // namespace hearth::HEARTH_GPU
