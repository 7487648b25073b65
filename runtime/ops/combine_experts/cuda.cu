// combine_experts and its backward, CUDA
// math:     out[t] = Σ_j weights[t,j] y[row_of_slot[t,j]];  dy[row] = weights[slot] dout[t], dweights[slot] = dout[t] ·
//           y[row]
// shapes:   y, dy [S,C] f32 or bf16, out, dout [T,C] like y, row_of_slot [T,k] i32, weights, dweights [T,k] f32
// traffic:  S + T, backward 2·S + T rows of y: memory bound; S = T·k
// mapping:  forward one thread an element of out; backward one block a slot
// needs:    nothing
// numerics: fp32, in the order of j; the dot product by block_sum
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/combine_experts/combine_experts.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void combine_kernel(const A* y, const int32_t* rows, const float* weights, A* out, int64_t n, int64_t C,
                               int k) {
  const int64_t i = thread_index();
  if (i >= n) return;
  const int64_t t = i / C, c = i % C;
  float sum = 0;
  for (int j = 0; j < k; ++j) sum += weights[t * k + j] * y[rows[t * k + j] * C + c];
  out[i] = sum;
}

template <class A>
__global__ void combine_backward_kernel(const A* y, const int32_t* rows, const float* weights, const A* dout, A* dy,
                                        float* dweights, int64_t C, int k) {
  const int64_t slot = blockIdx.x, row = rows[slot];
  const float weight = weights[slot];
  dout += slot / k * C;
  float sum = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    dy[row * C + c] = weight * dout[c];
    sum += dout[c] * y[row * C + c];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) dweights[slot] = sum;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<combine_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                     args.inputs[1].i32(), args.inputs[2].f32(), args.outputs[0].as<A>(), n,
                                     args.outputs[0].dim(1), static_cast<int>(args.inputs[1].dim(1)));
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto S = static_cast<unsigned>(args.inputs[1].shape().n_elements());
  if (S == 0) return;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<combine_backward_kernel<A>>(S, kBlock, 0, stream_of(me), args.inputs[0].as<A>(), args.inputs[1].i32(),
                                              args.inputs[2].f32(), args.inputs[3].as<A>(), args.outputs[0].as<A>(),
                                              args.outputs[1].f32(), args.inputs[0].dim(1),
                                              static_cast<int>(args.inputs[1].dim(1)));
  });
}

}  // namespace

template <>
Kernel kernel_for(const CombineExperts&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const CombineExpertsBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
