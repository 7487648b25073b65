// decay and its backward, CUDA
// math:     as cpu.cpp
// shapes:   a, log_decay, step [T,H], a_log, bias [H] f32
// traffic:  12 B an element: memory bound
// mapping:  forward: one thread an element; backward: one block a head
// needs:    nothing
// numerics: fp32; sums in a fixed order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/decay/decay.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void decay_kernel(const float* a, const float* a_log, const float* bias, float* log_decay, float* steps,
                             int64_t n, int64_t H, float low, float high) {
  const int64_t i = thread_index();
  if (i >= n) return;
  const float step = fminf(fmaxf(softplus(a[i] + bias[i % H]), low), high);
  log_decay[i] = -expf(a_log[i % H]) * step;
  steps[i] = step;
}

__global__ void decay_backward_kernel(const float* a, const float* a_log, const float* bias, const float* dlog_decay,
                                      const float* dstep, float* da, float* da_log, float* dbias, int64_t T, int64_t H,
                                      float low, float high) {
  const int64_t h = blockIdx.x;
  const float rate = -expf(a_log[h]);
  float sum_a_log = 0, sum_bias = 0;
  for (int64_t t = threadIdx.x; t < T; t += blockDim.x) {
    const int64_t i = t * H + h;
    const float x = a[i] + bias[h], free_step = softplus(x), step = fminf(fmaxf(free_step, low), high);
    const float dlog = dlog_decay != nullptr ? dlog_decay[i] : 0.0f, ds = dstep != nullptr ? dstep[i] : 0.0f;
    const float d = step == free_step ? (dlog * rate + ds) * sigmoid(x) : 0.0f;
    da[i] = d;
    sum_a_log += dlog * rate * step;
    sum_bias += d;
  }
  sum_a_log = block_sum(sum_a_log);
  sum_bias = block_sum(sum_bias);
  if (threadIdx.x == 0) {
    da_log[h] = sum_a_log;
    dbias[h] = sum_bias;
  }
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Decay&>(*args.op);
  const int64_t n = args.inputs[0].shape().n_elements();
  launch_kernel<decay_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
                              args.inputs[2].f32(), args.outputs[0].f32(), args.outputs[1].f32(), n,
                              args.inputs[0].dim(1), op.min_step, op.max_step);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const DecayBackward&>(*args.op);
  const int64_t T = args.inputs[0].dim(0), H = args.inputs[0].dim(1);
  launch_kernel<decay_backward_kernel>(
      static_cast<unsigned>(H), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
      args.inputs[2].f32(), op.has_dlog_decay ? args.inputs[3].f32() : nullptr,
      op.has_dstep ? args.inputs[op.has_dlog_decay ? 4 : 3].f32() : nullptr, args.outputs[0].f32(),
      args.outputs[1].f32(), args.outputs[2].f32(), T, H, op.min_step, op.max_step);
}

}  // namespace

template <>
Kernel kernel_for(const Decay&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const DecayBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
