// slice_heads and pad_heads, CUDA
// math:     y[t,h,i] = x[t,h,begin + i], and back among zeros
// shapes:   x [T,H·D] f32, y [T,H·n] f32
// traffic:  2·T·H·n·4 B (pad: T·H·(n + D)·4 B): memory bound
// mapping:  one thread an element of y
// needs:    nothing
// numerics: copies
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/slice_heads/slice_heads.h"

namespace hearth {
namespace {

__global__ void slice_kernel(const float* x, float* y, int64_t size, int head_dim, int begin, int n) {
  const int64_t i = cuda::thread_index();
  if (i < size) y[i] = x[i / n * head_dim + begin + i % n];
}

__global__ void pad_kernel(const float* x, float* y, int64_t size, int head_dim, int begin, int n) {
  const int64_t i = cuda::thread_index();
  if (i >= size) return;
  const int64_t at = i % head_dim - begin;
  y[i] = at >= 0 && at < n ? x[i / head_dim * n + at] : 0.0f;
}

void launch_slice(const KernelArgs& args, void* stream) {
  const auto& op = static_cast<const SliceHeads&>(*args.op);
  const int64_t size = args.outputs[0].shape().n_elements();
  slice_kernel<<<cuda::blocks_for(size), cuda::kBlock, 0, cuda::stream_of(stream)>>>(
      args.inputs[0].f32(), args.outputs[0].f32(), size, op.head_dim, op.begin, op.n);
}

void launch_pad(const KernelArgs& args, void* stream) {
  const auto& op = static_cast<const PadHeads&>(*args.op);
  const int64_t size = args.outputs[0].shape().n_elements();
  pad_kernel<<<cuda::blocks_for(size), cuda::kBlock, 0, cuda::stream_of(stream)>>>(
      args.inputs[0].f32(), args.outputs[0].f32(), size, op.head_dim, op.begin, op.n);
}

}  // namespace

CudaKernel SliceHeads::cuda_kernel(Types) const {
  return {launch_slice};
}
CudaKernel PadHeads::cuda_kernel(Types) const {
  return {launch_pad};
}

}  // namespace hearth
