// slice_heads and pad_heads, CUDA
// math:     y[t,h,i] = x[t,h,begin + i], and back among zeros
// shapes:   x [...,D], y [...,n], f32 or bf16
// traffic:  2·T·H·n·4 B (pad: T·H·(n + D)·4 B): memory bound
// mapping:  one thread an element of y
// needs:    nothing
// numerics: copies
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/slice_heads/slice_heads.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void slice_kernel(const A* x, A* y, int64_t size, int head_dim, int begin, int n) {
  const int64_t i = thread_index();
  if (i < size) y[i] = x[i / n * head_dim + begin + i % n];
}

template <class A>
__global__ void pad_kernel(const A* x, A* y, int64_t size, int head_dim, int begin, int n) {
  const int64_t i = thread_index();
  if (i >= size) return;
  const int64_t at = i % head_dim - begin;
  y[i] = at >= 0 && at < n ? x[i / head_dim * n + at] : 0.0f;
}

void launch_slice(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const SliceHeads&>(*args.op);
  const int64_t size = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<slice_kernel<A>>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                   args.outputs[0].as<A>(), size, op.head_dim, op.begin, op.n);
  });
}

void launch_pad(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const PadHeads&>(*args.op);
  const int64_t size = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<pad_kernel<A>>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                 args.outputs[0].as<A>(), size, op.head_dim, op.begin, op.n);
  });
}

}  // namespace

template <>
Kernel kernel_for(const SliceHeads&, Types) {
  return {launch_slice};
}
template <>
Kernel kernel_for(const PadHeads&, Types) {
  return {launch_pad};
}

}  // namespace hearth::HEARTH_GPU
