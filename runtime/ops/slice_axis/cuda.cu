// slice_axis and pad_axis, CUDA
// math:     a range of one axis, and back among zeros
// shapes:   x [...,size,...], y [...,n,...] f32 or bf16 (slice_axis: or i32)
// traffic:  2·bytes(y): memory bound
// mapping:  one thread an element of the output
// needs:    nothing
// numerics: copies
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void slice_kernel(const A* x, A* y, int64_t size, int64_t width, int64_t begin, int64_t n) {
  const int64_t i = thread_index();
  if (i < size) y[i] = x[i / n * width + begin + i % n];
}

template <class A>
__global__ void pad_kernel(const A* x, A* y, int64_t size, int64_t width, int64_t begin, int64_t n) {
  const int64_t i = thread_index();
  if (i >= size) return;
  const int64_t at = i % width - begin;
  y[i] = at >= 0 && at < n ? x[i / width * n + at] : 0.0f;
}

void launch_slice(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const SliceAxis&>(*args.op);
  const AxisRows from = axis_rows(args.inputs[0].shape(), op.axis), to = axis_rows(args.outputs[0].shape(), op.axis);
  const int64_t size = args.outputs[0].shape().n_elements();
  auto launch = [&]<class A>() {
    launch_kernel<slice_kernel<A>>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                   args.outputs[0].as<A>(), size, from.width, op.begin * from.inner, to.width);
  };
  if (args.inputs[0].type.dtype == Dtype::i32) return launch.operator()<int32_t>();
  with_activations(args.inputs[0].type.dtype, launch);
}

void launch_pad(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const PadAxis&>(*args.op);
  const AxisRows from = axis_rows(args.inputs[0].shape(), op.axis), to = axis_rows(args.outputs[0].shape(), op.axis);
  const int64_t size = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<pad_kernel<A>>(blocks_for(size), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                 args.outputs[0].as<A>(), size, to.width, op.begin * to.inner, from.width);
  });
}

}  // namespace

template <>
Kernel kernel_for(const SliceAxis&, Types) {
  return {launch_slice};
}
template <>
Kernel kernel_for(const PadAxis&, Types) {
  return {launch_pad};
}

}  // namespace hearth::HEARTH_GPU
