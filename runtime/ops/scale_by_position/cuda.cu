// scale_by_position, CUDA
// math:     y[t,c] = x[t,c] (1 + beta ln(1 + floor(positions[t] / period)))
// shapes:   x, y [T,...] f32 or bf16, positions [T] i32
// traffic:  8 B an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: log1pf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/scale_by_position/scale_by_position.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void scale_by_position_kernel(const A* x, const int32_t* positions, A* y, int64_t n, int64_t C, float beta,
                                         int period) {
  const int64_t i = thread_index();
  if (i < n) y[i] = x[i] * (1.0f + beta * log1pf(static_cast<float>(positions[i / C] / period)));
}

void launch(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const ScaleByPosition&>(*args.op);
  const int64_t n = args.outputs[0].shape().n_elements(), T = args.inputs[0].dim(0), C = T == 0 ? 1 : n / T;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<scale_by_position_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                               args.inputs[1].i32(), args.outputs[0].as<A>(), n, C, op.beta, op.period);
  });
}

}  // namespace

template <>
Kernel kernel_for(const ScaleByPosition&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
