// cast, CUDA
// math:     y = x
// shapes:   x, y of one shape, each f32 or bf16
// traffic:  2 or 4 B read and written an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact, or rounded to nearest even
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/cast/cast.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class From, class To>
__global__ void cast_kernel(const From* x, To* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = static_cast<float>(x[i]);
}

void launch(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t n = y.shape().n_elements();
  with_activations(x.type.dtype, [&]<class From>() {
    with_activations(y.type.dtype, [&]<class To>() {
      launch_kernel<cast_kernel<From, To>>(blocks_for(n), kBlock, 0, stream_of(me), x.as<From>(), y.as<To>(), n);
    });
  });
}

}  // namespace

template <>
Kernel kernel_for(const Cast&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
