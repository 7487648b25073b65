// The list of every op: a new op adds its header and its class here. Kernel tables, the test engine and the benchmarks
// loop over it.
#pragma once

#include <vector>

#include "runtime/ops/accumulate/accumulate.h"
#include "runtime/ops/adamw/adamw.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/cast/cast.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"
#include "runtime/ops/clamp/clamp.h"
#include "runtime/ops/collective/collective.h"
#include "runtime/ops/combine_experts/combine_experts.h"
#include "runtime/ops/concat_heads/concat_heads.h"
#include "runtime/ops/copy_rows/copy_rows.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/decay/decay.h"
#include "runtime/ops/exp_minus_one/exp_minus_one.h"
#include "runtime/ops/fetch/fetch.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/gelu/gelu.h"
#include "runtime/ops/global_norm/global_norm.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/head_matmul/head_matmul.h"
#include "runtime/ops/l2_norm/l2_norm.h"
#include "runtime/ops/layer_norm/layer_norm.h"
#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"
#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"
#include "runtime/ops/log_sigmoid/log_sigmoid.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/mul/mul.h"
#include "runtime/ops/quantise/quantise.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/sample_tokens/sample_tokens.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/scale_by_position/scale_by_position.h"
#include "runtime/ops/scale_rows/scale_rows.h"
#include "runtime/ops/sigmoid/sigmoid.h"
#include "runtime/ops/silu/silu.h"
#include "runtime/ops/slice_axis/slice_axis.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"
#include "runtime/ops/split_axis/split_axis.h"
#include "runtime/ops/sum_rows/sum_rows.h"
#include "runtime/ops/swiglu/swiglu.h"
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"
#include "runtime/ops/tanh/tanh.h"
#include "runtime/ops/token_logprobs/token_logprobs.h"

namespace hearth {

template <class... Ops>
struct OpList {};

using AllOps =
    OpList<Accumulate, AdamW, Add, AllGather, AllReduce, AllToAll, Attention, AttentionBackward, AttentionCached, Cast,
           CausalConv1d, CausalConv1dBackward, CausalConv1dCached, Clamp, ClampBackward, CombineExperts,
           CombineExpertsBackward, ConcatHeads, CopyRows, CrossEntropy, CrossEntropyBackward, CrossEntropyPart, Decay,
           DecayBackward, ExpMinusOne, Fetch, GatherRows, Gelu, GeluBackward, GlobalNorm, GroupedMatmul, GroupedOuter,
           HeadMatmul, HeadOuter, L2Norm, L2NormBackward, LayerNorm, LayerNormBackward, LinearAttention,
           LinearAttentionBackward, LinearAttentionCached, LinearCrossEntropy, LinearCrossEntropyBackward, LogSigmoid,
           Matmul, MergeAxes, Mul, PadAxis, Quantise, RmsNorm, ReduceScatter, RmsNormBackward, Rope, Route,
           RouteBackward, RowDots, SampleTokens, Scale, ScaleByPosition, ScaleRows, ScatterAddRows, Sigmoid,
           SigmoidBackward, Silu, SiluBackward, SliceAxis, SortByExpert, SplitAxis, SumRows, Swiglu, SwigluBackward,
           SwigluClamped, SwigluClampedBackward, Tanh, TanhBackward, TokenLogprobs, TokenLogprobsBackward>;

std::vector<Sample> all_samples();

}  // namespace hearth
