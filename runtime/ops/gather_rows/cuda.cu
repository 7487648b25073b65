// gather_rows and scatter_add_rows, CUDA
// math:     y[t] = table[ids[t] - row_begin];  dtable[ids[t] - row_begin] += dy[t]
// shapes:   table [V,C] any weight dtype, ids [T] i32, y and dy [T,C] f32 or bf16, dtable [n_rows,C] f32
// traffic:  gather: bytes of T table rows + T·C·4; scatter: n_rows·C·4 zeroed + T·C·12: memory bound
// mapping:  gather: one block a token; scatter: one thread a column, so that rows are added in order of t
// needs:    nothing
// numerics: exact widening; sums in order of t
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/gather_rows/gather_rows.h"

namespace hearth::HEARTH_GPU {
namespace {

template <Dtype dtype, class A>
__global__ void gather_kernel(const void* table, const int32_t* ids, A* y, int64_t n_rows, int64_t C,
                              int64_t row_begin) {
  const int64_t t = blockIdx.x, row = ids[t] - row_begin;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x)
    y[t * C + c] = row >= 0 && row < n_rows ? weight_at<dtype>(table, row * C + c) : 0.0f;
}

template <class A>
__global__ void scatter_kernel(const int32_t* ids, const A* dy, float* dtable, int64_t T, int64_t n_rows, int64_t C,
                               int64_t row_begin) {
  const int64_t c = thread_index();
  if (c >= C) return;
  for (int64_t t = 0; t < T; ++t) {
    const int64_t row = ids[t] - row_begin;
    if (row >= 0 && row < n_rows) dtable[row * C + c] += dy[t * C + c];
  }
}

void launch_gather(const KernelArgs& args, const Worker& me) {
  const TensorView &table = args.inputs[0], &ids = args.inputs[1], &y = args.outputs[0];
  const int64_t T = ids.dim(0), row_begin = static_cast<const GatherRows&>(*args.op).row_begin;
  if (T == 0) return;
  with_weight_dtype(table.type.dtype, [&]<Dtype dtype>() {
    with_activations(y.type.dtype, [&]<class A>() {
      launch_kernel<gather_kernel<dtype, A>>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), table.data, ids.i32(),
                                             y.as<A>(), table.dim(0), table.dim(1), row_begin);
    });
  });
}

void launch_scatter(const KernelArgs& args, const Worker& me) {
  const TensorView &ids = args.inputs[0], &dy = args.inputs[1], &dtable = args.outputs[0];
  const int64_t C = dtable.dim(1);
  clear_bytes(stream_of(me), dtable.data, static_cast<size_t>(dtable.type.bytes()));
  with_activations(dy.type.dtype, [&]<class A>() {
    launch_kernel<scatter_kernel<A>>(blocks_for(C, 64), 64, 0, stream_of(me), ids.i32(), dy.as<A>(), dtable.f32(),
                                     ids.dim(0), dtable.dim(0), C,
                                     static_cast<const ScatterAddRows&>(*args.op).row_begin);
  });
}

}  // namespace

template <>
Kernel kernel_for(const GatherRows&, Types inputs) {
  if (!reads_on_device(inputs[0].dtype)) return {};
  return {launch_gather};
}
template <>
Kernel kernel_for(const ScatterAddRows&, Types) {
  return {launch_scatter};
}

}  // namespace hearth::HEARTH_GPU
