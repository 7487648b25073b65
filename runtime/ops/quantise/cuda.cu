// quantise, CUDA
// math:     d = max |x| / 127 over 32 elements, q = x / d rounded to the nearest, halves away from zero
// shapes:   x f32 → q8_0 of the same shape
// traffic:  4 B read and 1.06 B written an element: memory bound
// mapping:  one warp a block of 32
// needs:    nothing
// numerics: the codec's encoder; a block with NaN or infinity is NaN
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/quantise/quantise.h"
#include "runtime/tensor/codecs/simple.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void quantise_kernel(const float* x, BlockQ8_0* out, int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;  // n is whole warps
  float largest = fabsf(x[i]);
  for (int step = 16; step > 0; step /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
  const bool is_finite = __all_sync(0xffffffffu, isfinite(x[i]));
  const float scale = largest / 127.0f, inverse = scale != 0 ? 1.0f / scale : 0;
  BlockQ8_0& block = out[i / 32];
  block.q[i % 32] = is_finite ? static_cast<int8_t>(roundf(x[i] * inverse)) : 0;
  if (i % 32 == 0) block.scale = is_finite ? float_to_f16(scale) : 0x7e00;
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.inputs[0].shape().n_elements();
  launch_kernel<quantise_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                 args.outputs[0].as<BlockQ8_0>(), n);
}

}  // namespace

template <>
Kernel kernel_for(const Quantise&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
