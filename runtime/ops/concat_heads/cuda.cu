// concat_heads, CUDA
// math:     y[t,h] = a[t,h] ‖ b[t,h]
// shapes:   a [T,H,A] f32, b [T,H,B] f32, y [T,H,A+B] f32
// traffic:  2·T·H·(A+B)·4 B: memory bound
// mapping:  one thread an element of y
// needs:    nothing
// numerics: copies
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/concat_heads/concat_heads.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void concat_kernel(const float* a, const float* b, float* y, int64_t size, int64_t A, int64_t B) {
  const int64_t i = thread_index();
  if (i >= size) return;
  const int64_t h = i / (A + B), at = i % (A + B);
  y[i] = at < A ? a[h * A + at] : b[h * B + at - A];
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t size = args.outputs[0].shape().n_elements();
  launch_kernel<concat_kernel>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
                               args.outputs[0].f32(), size, args.inputs[0].shape().last(),
                               args.inputs[1].shape().last());
}

}  // namespace

template <>
Kernel kernel_for(const ConcatHeads&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
