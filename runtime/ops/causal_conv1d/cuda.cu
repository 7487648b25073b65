// causal_conv1d and its backward, CUDA
// math:     as cpu.cpp
// shapes:   x, y, dx, dy [T,C] f32 or bf16, dw [C,W] f32, w [C,W] f32, f16 or bf16, segment_begin [T] i32
// traffic:  8 B an element; neighbouring tokens are read from cache
// mapping:  y, dx: one thread an element; dw: one thread a channel and tap, over all tokens
// needs:    nothing
// numerics: fp32; taps and tokens in order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"

namespace hearth::HEARTH_GPU {
namespace {

template <Dtype dtype, class A>
__global__ void conv_kernel(const A* x, const void* w, const int32_t* segment_begin, A* y, int64_t T, int64_t C,
                            int64_t W) {
  const int64_t i = thread_index();
  if (i >= T * C) return;
  const int64_t t = i / C, c = i % C;
  float sum = 0;
  for (int64_t j = 0; j < W; ++j) {
    const int64_t s = t - (W - 1 - j);
    if (s >= segment_begin[t]) sum += weight_at<dtype>(w, c * W + j) * x[s * C + c];
  }
  y[i] = sum;
}

template <Dtype dtype, class A>
__global__ void dx_kernel(const A* dy, const void* w, const int32_t* segment_begin, A* dx, int64_t T, int64_t C,
                          int64_t W) {
  const int64_t i = thread_index();
  if (i >= T * C) return;
  const int64_t s = i / C, c = i % C;
  float sum = 0;
  for (int64_t t = s; t < s + W && t < T; ++t)
    if (s >= segment_begin[t]) sum += weight_at<dtype>(w, c * W + W - 1 - (t - s)) * dy[t * C + c];
  dx[i] = sum;
}

template <class A>
__global__ void dw_kernel(const A* x, const A* dy, const int32_t* segment_begin, float* dw, int64_t T, int64_t C,
                          int64_t W) {
  const int64_t i = thread_index();
  if (i >= C * W) return;
  const int64_t c = i % C, j = i / C;
  float sum = 0;
  for (int64_t t = 0; t < T; ++t) {
    const int64_t s = t - (W - 1 - j);
    if (s >= segment_begin[t]) sum += x[s * C + c] * dy[t * C + c];
  }
  dw[c * W + j] = sum;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1];
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1);
  with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
    with_activations(x.type.dtype, [&]<class A>() {
      launch_kernel<conv_kernel<dtype, A>>(blocks_for(T * C), kBlock, 0, stream_of(me), x.as<A>(), w.data,
                                           args.inputs[2].i32(), args.outputs[0].as<A>(), T, C, W);
    });
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &dy = args.inputs[3];
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1);
  with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
    with_activations(x.type.dtype, [&]<class A>() {
      launch_kernel<dx_kernel<dtype, A>>(blocks_for(T * C), kBlock, 0, stream_of(me), dy.as<A>(), w.data,
                                         args.inputs[2].i32(), args.outputs[0].as<A>(), T, C, W);
    });
  });
  with_activations(x.type.dtype, [&]<class A>() {
    launch_kernel<dw_kernel<A>>(blocks_for(C * W), kBlock, 0, stream_of(me), x.as<A>(), dy.as<A>(),
                                args.inputs[2].i32(), args.outputs[1].f32(), T, C, W);
  });
}

}  // namespace

template <>
Kernel kernel_for(const CausalConv1d&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const CausalConv1dBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
