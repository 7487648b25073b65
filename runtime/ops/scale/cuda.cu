// scale, CUDA
// math:     y = factor * x
// shapes:   x, y f32 or bf16, of one shape
// traffic:  8 B and 1 flop an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/scale/scale.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void scale_kernel(const A* x, float factor, A* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = x[i] * factor;
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<scale_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                   static_cast<const Scale&>(*args.op).factor, args.outputs[0].as<A>(), n);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Scale&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
