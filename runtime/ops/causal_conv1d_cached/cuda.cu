// causal_conv1d_cached, CUDA
// math:     as cpu.cpp
// shapes:   x, y [T,C] f32 or bf16, w [C,W] f32, f16 or bf16, state [n_seqs,W-1,C] f32, positions, seq_of_token [T] i32
// traffic:  decode: w and a state of W-1 rows read and written: memory bound
// mapping:  one thread a channel of a sequence; it walks over the tokens of the step and keeps its window in registers
// needs:    W <= 16
// numerics: fp32; taps in order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"

namespace hearth::HEARTH_GPU {
namespace {

template <Dtype dtype, class A>
__global__ void conv_cached_kernel(const A* x, const void* w, float* states, const int32_t* positions,
                                   const int32_t* seqs, A* y, int64_t T, int64_t C, int64_t W) {
  const int64_t c = thread_index();
  const int seq = static_cast<int>(blockIdx.y);
  if (c >= C) return;
  float* state = states + seq * (W - 1) * C + c;
  float window[kMaxConvWidth];  // the last W inputs, the newest at W-1
  for (int64_t j = 0; j < W - 1; ++j) window[j + 1] = state[j * C];
  bool any = false;
  for (int64_t t = 0; t < T; ++t) {
    if (positions[t] < 0 && seq == 0) y[t * C + c] = 0;  // padding: of no sequence
    if (positions[t] < 0 || seqs[t] != seq) continue;
    any = true;
    float sum = 0;
    for (int64_t j = 0; j < W; ++j) {
      window[j] = j == W - 1 ? x[t * C + c] : positions[t] == 0 ? 0.0f : window[j + 1];
      sum += weight_at<dtype>(w, c * W + j) * window[j];
    }
    y[t * C + c] = sum;
  }
  if (any)
    for (int64_t j = 0; j < W - 1; ++j) state[j * C] = window[j + 1];
}

void launch(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1];
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1), n_seqs = args.inputs[2].dim(0);
  with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
    with_activations(x.type.dtype, [&]<class A>() {
      launch_kernel<conv_cached_kernel<dtype, A>>(
          dim3(blocks_for(C), static_cast<unsigned>(n_seqs)), kBlock, 0, stream_of(me), x.as<A>(), w.data,
          args.inputs[2].f32(), args.inputs[3].i32(), args.inputs[4].i32(), args.outputs[0].as<A>(), T, C, W);
    });
  });
}

}  // namespace

template <>
Kernel kernel_for(const CausalConv1dCached&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
