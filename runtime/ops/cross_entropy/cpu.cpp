// cross_entropy and its backward, CPU
// math:     lse[t] = log Σ_v exp(logits[t,v]);  loss = Σ_t weights[t] (lse[t] - logits[t, targets[t]])
//           dlogits[t,v] = dloss weights[t] (exp(logits[t,v] - lse[t]) - [v = targets[t]])
// shapes:   logits, dlogits [T,V] f32, targets [T] i32, weights, lse [T] f32, loss, dloss [1]; scratch [T] f32
// traffic:  4 B an element (the row's second pass comes from L2), backward 8 B; ~15 flops: memory bound
// mapping:  tokens split; the sum over tokens on one thread after a barrier
// needs:    nothing
// numerics: the largest logit is subtracted; the loss is summed in order of t
#include "runtime/ops/cross_entropy/cross_entropy.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/log_sum_exp.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  const int32_t* targets = args.inputs[1].i32();
  const float* weights = args.inputs[2].f32();
  float *loss = args.outputs[0].f32(), *lse = args.outputs[1].f32();
  auto* weighted = reinterpret_cast<float*>(args.scratch);
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float* row = args.inputs[0].f32() + t * V;
    lse[t] = weighted[t] = 0;
    if (targets[t] < 0) continue;
    const float shift = largest(row, V);
    lse[t] = shift + std::log(sum_of_exp(row, shift, V));
    weighted[t] = weights[t] * (lse[t] - row[targets[t]]);
  }
  me.sync();
  if (me.rank != 0) return;
  double sum = 0;
  for (int64_t t = 0; t < T; ++t) sum += weighted[t];
  *loss = static_cast<float>(sum);
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  const int32_t* targets = args.inputs[1].i32();
  const float *weights = args.inputs[2].f32(), *lse = args.inputs[3].f32();
  const float dloss = *args.inputs[4].f32();
  const int64_t first = static_cast<const CrossEntropyBackward&>(*args.op).begin;
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float* row = args.inputs[0].f32() + t * V;
    float* out = args.outputs[0].f32() + t * V;
    if (targets[t] < 0) {
      memset(out, 0, static_cast<size_t>(V) * 4);
      continue;
    }
    const float factor = dloss * weights[t], shift = lse[t];
    over(0, V, [&](int64_t v, auto lanes) { store(out + v, exp(load(row + v, lanes) - shift) * factor, lanes); });
    if (const int64_t target = targets[t] - first; target >= 0 && target < V) out[target] -= factor;
  }
}

void run_part(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  const int64_t first = static_cast<const CrossEntropyPart&>(*args.op).begin;
  float *lse = args.outputs[0].f32(), *picked = args.outputs[1].f32(), *learns = args.outputs[2].f32();
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float* row = args.inputs[0].f32() + t * V;
    lse[t] = picked[t] = learns[t] = 0;
    if (args.inputs[1].i32()[t] < 0) continue;
    const int64_t target = args.inputs[1].i32()[t] - first;
    const float shift = largest(row, V);
    lse[t] = shift + std::log(sum_of_exp(row, shift, V));
    if (target >= 0 && target < V) picked[t] = row[target];
    learns[t] = 1;
  }
}

}  // namespace

template <>
Kernel kernel_for(const CrossEntropy&, Types inputs) {
  return {run_forward, static_cast<size_t>(inputs[0].shape[0]) * sizeof(float)};
}
template <>
Kernel kernel_for(const CrossEntropyBackward&, Types) {
  return {run_backward};
}
template <>
Kernel kernel_for(const CrossEntropyPart&, Types) {
  return {run_part};
}

}  // namespace hearth::HEARTH_ISA
