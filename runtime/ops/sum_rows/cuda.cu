// sum_rows, CUDA
// math:     y[c] = Σ_t x[t,c]
// shapes:   x [...,C] f32 or bf16, y [C] f32
// traffic:  4 B and 1 flop an element: memory bound
// mapping:  one thread a column; a warp reads 32 neighbours of a row
// needs:    nothing
// numerics: rows are added in order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void sum_rows_kernel(const A* x, float* y, int64_t T, int64_t C) {
  const int64_t c = thread_index();
  if (c >= C) return;
  float sum = 0;
  for (int64_t t = 0; t < T; ++t) sum += x[t * C + c];
  y[c] = sum;
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t C = args.outputs[0].shape().n_elements();
  const int64_t T = C == 0 ? 0 : args.inputs[0].shape().n_elements() / C;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<sum_rows_kernel<A>>(blocks_for(C, 64), 64, 0, stream_of(me), args.inputs[0].as<A>(),
                                      args.outputs[0].f32(), T, C);
  });
}

}  // namespace

template <>
Kernel kernel_for(const SumRows&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
