// copy_rows, CUDA
// math:     state[to[i]] = state[from[i]], for i in order
// shapes:   state [N,...] f32, f16 or bf16, from and to [n] i32
// traffic:  n rows read and written: memory bound
// mapping:  one thread two bytes of a row, the same of all rows, so that each has its part in order
// needs:    nothing; what is no row of the state is passed over
// numerics: exact
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/copy_rows/copy_rows.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void copy_kernel(uint16_t* state, const int32_t* from, const int32_t* to, int64_t n, int64_t n_rows,
                            int64_t width) {
  const int64_t at = thread_index();
  if (at >= width) return;
  for (int64_t i = 0; i < n; ++i)
    if (from[i] >= 0 && from[i] < n_rows && to[i] >= 0 && to[i] < n_rows)
      state[to[i] * width + at] = state[from[i] * width + at];
}

void launch(const KernelArgs& args, const Worker& me) {
  const TensorView& state = args.inputs[0];
  const int64_t n_rows = state.dim(0), n = args.inputs[1].dim(0);
  if (n_rows == 0 || n == 0) return;
  const int64_t width = state.type.bytes() / n_rows / static_cast<int64_t>(sizeof(uint16_t));
  launch_kernel<copy_kernel>(blocks_for(width), kBlock, 0, stream_of(me), state.as<uint16_t>(), args.inputs[1].i32(),
                             args.inputs[2].i32(), n, n_rows, width);
}

}  // namespace

template <>
Kernel kernel_for(const CopyRows&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
