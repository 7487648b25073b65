// concat_heads, CUDA
// math:     y[t,h] = a[t,h] ‖ b[t,h]
// shapes:   a [T,H,A] f32, b [T,H,B] f32, y [T,H,A+B], all f32 or all bf16
// traffic:  2·T·H·(A+B)·4 B: memory bound
// mapping:  one thread an element of y
// needs:    nothing
// numerics: copies
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/concat_heads/concat_heads.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void concat_kernel(const A* a, const A* b, A* y, int64_t size, int64_t n_a, int64_t n_b) {
  const int64_t i = thread_index();
  if (i >= size) return;
  const int64_t h = i / (n_a + n_b), at = i % (n_a + n_b);
  y[i] = at < n_a ? a[h * n_a + at] : b[h * n_b + at - n_a];
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t size = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<concat_kernel<A>>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                    args.inputs[1].as<A>(), args.outputs[0].as<A>(), size,
                                    args.inputs[0].shape().last(), args.inputs[1].shape().last());
  });
}

}  // namespace

template <>
Kernel kernel_for(const ConcatHeads&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
