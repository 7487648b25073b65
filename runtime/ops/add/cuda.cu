// add, CUDA
// math:     y = a + b, or y[r,c] = a[r,c] + b[c]
// shapes:   a [..., C] f32 or bf16, b like a or f32 [C]; y like a
// traffic:  12 B and 1 flop an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/add/add.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A, class B>
__global__ void add_kernel(const A* a, const B* b, A* y, int64_t n, int64_t n_b) {
  const int64_t i = thread_index();
  if (i < n) y[i] = a[i] + b[n_b == n ? i : i % n_b];
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements(), n_b = args.inputs[1].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    with_activations(args.inputs[1].type.dtype, [&]<class B>() {
      launch_kernel<add_kernel<A, B>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                      args.inputs[1].as<B>(), args.outputs[0].as<A>(), n, n_b);
    });
  });
}

}  // namespace

template <>
Kernel kernel_for(const Add&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
