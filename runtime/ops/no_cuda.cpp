// Builds without CUDA: every op declines, in one place.
#include "runtime/ops/add/add.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"
#include "runtime/ops/combine_experts/combine_experts.h"
#include "runtime/ops/concat_heads/concat_heads.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/decay/decay.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/gelu/gelu.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/head_matmul/head_matmul.h"
#include "runtime/ops/l2_norm/l2_norm.h"
#include "runtime/ops/layer_norm/layer_norm.h"
#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/mul/mul.h"
#include "runtime/ops/quantise/quantise.h"
#include "runtime/ops/reshape/reshape.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/scale_by_position/scale_by_position.h"
#include "runtime/ops/scale_rows/scale_rows.h"
#include "runtime/ops/sigmoid/sigmoid.h"
#include "runtime/ops/silu/silu.h"
#include "runtime/ops/slice_heads/slice_heads.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"
#include "runtime/ops/sum_rows/sum_rows.h"
#include "runtime/ops/swiglu/swiglu.h"
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"
#include "runtime/ops/tanh/tanh.h"

namespace hearth {

CudaKernel Add::cuda_kernel(Types) const {
  return {};
}
CudaKernel Attention::cuda_kernel(Types) const {
  return {};
}
CudaKernel AttentionBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel AttentionCached::cuda_kernel(Types) const {
  return {};
}
CudaKernel CrossEntropy::cuda_kernel(Types) const {
  return {};
}
CudaKernel CrossEntropyBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel GatherRows::cuda_kernel(Types) const {
  return {};
}
CudaKernel ScatterAddRows::cuda_kernel(Types) const {
  return {};
}
CudaKernel Gelu::cuda_kernel(Types) const {
  return {};
}
CudaKernel GeluBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel LayerNorm::cuda_kernel(Types) const {
  return {};
}
CudaKernel LayerNormBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel Matmul::cuda_kernel(Types) const {
  return {};
}
CudaKernel Mul::cuda_kernel(Types) const {
  return {};
}
CudaKernel Quantise::cuda_kernel(Types) const {
  return {};
}
CudaKernel Reshape::cuda_kernel(Types) const {
  return {};
}
CudaKernel RmsNorm::cuda_kernel(Types) const {
  return {};
}
CudaKernel RmsNormBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel Rope::cuda_kernel(Types) const {
  return {};
}
CudaKernel Scale::cuda_kernel(Types) const {
  return {};
}
CudaKernel ScaleByPosition::cuda_kernel(Types) const {
  return {};
}
CudaKernel Silu::cuda_kernel(Types) const {
  return {};
}
CudaKernel SiluBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel SumRows::cuda_kernel(Types) const {
  return {};
}
CudaKernel Swiglu::cuda_kernel(Types) const {
  return {};
}
CudaKernel SwigluBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel Tanh::cuda_kernel(Types) const {
  return {};
}
CudaKernel TanhBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel CombineExperts::cuda_kernel(Types) const {
  return {};
}
CudaKernel CombineExpertsBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel GroupedMatmul::cuda_kernel(Types) const {
  return {};
}
CudaKernel GroupedOuter::cuda_kernel(Types) const {
  return {};
}
CudaKernel Route::cuda_kernel(Types) const {
  return {};
}
CudaKernel RouteBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel SortByExpert::cuda_kernel(Types) const {
  return {};
}
CudaKernel SwigluClamped::cuda_kernel(Types) const {
  return {};
}
CudaKernel SwigluClampedBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel SliceHeads::cuda_kernel(Types) const {
  return {};
}
CudaKernel PadHeads::cuda_kernel(Types) const {
  return {};
}
CudaKernel ConcatHeads::cuda_kernel(Types) const {
  return {};
}
CudaKernel HeadMatmul::cuda_kernel(Types) const {
  return {};
}
CudaKernel HeadOuter::cuda_kernel(Types) const {
  return {};
}
CudaKernel CausalConv1d::cuda_kernel(Types) const {
  return {};
}
CudaKernel CausalConv1dBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel CausalConv1dCached::cuda_kernel(Types) const {
  return {};
}
CudaKernel Decay::cuda_kernel(Types) const {
  return {};
}
CudaKernel DecayBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel L2Norm::cuda_kernel(Types) const {
  return {};
}
CudaKernel L2NormBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel LinearAttention::cuda_kernel(Types) const {
  return {};
}
CudaKernel LinearAttentionBackward::cuda_kernel(Types) const {
  return {};
}
CudaKernel LinearAttentionCached::cuda_kernel(Types) const {
  return {};
}
CudaKernel ScaleRows::cuda_kernel(Types) const {
  return {};
}
CudaKernel RowDots::cuda_kernel(Types) const {
  return {};
}
CudaKernel Sigmoid::cuda_kernel(Types) const {
  return {};
}
CudaKernel SigmoidBackward::cuda_kernel(Types) const {
  return {};
}

}  // namespace hearth
