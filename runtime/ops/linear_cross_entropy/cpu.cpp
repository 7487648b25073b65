// linear_cross_entropy and its backward, CPU
// math:     y = x · wᵀ;  z = factor y, or cap tanh(factor y);  lse[t] = log Σ_v exp z[t,v]
//           loss = Σ_t weights[t] (lse[t] - z[t, targets[t]])
//           dz = dloss weights[t] (exp(z - lse[t]) - [v = targets[t]]);  dx = dy · w;  dw = dyᵀ · x
// shapes:   x, dx [T,C] f32, w [V,C] any weight dtype, dw [V,C] f32, targets [T] i32, weights [T] f32, loss, dloss [1]
// traffic:  2·T·V·C flops, backward 4 or 6; w is read once a chunk: compute bound from about 64 tokens a chunk
// mapping:  learned tokens in chunks; a chunk's logits, then their gradient in their place, lie in scratch; products by
//           kernels/gemm, rows of logits split between
// needs:    nothing
// numerics: as matmul and cross_entropy one after the other: chunks end where gemm's sums over tokens do
#include "runtime/ops/linear_cross_entropy/chunks.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  run_chunks(args, me,
             {.form = static_cast<const LinearCrossEntropy&>(*args.op).form,
              .weights = args.inputs[3].f32(),
              .loss = args.outputs[0].f32()});
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const LinearCrossEntropyBackward&>(*args.op);
  run_chunks(args, me,
             {.form = op.form,
              .weights = args.inputs[3].f32(),
              .loss = args.outputs[0].f32(),
              .dx = args.outputs[1],
              .dw = op.trains_w ? args.outputs[2] : TensorView(),
              .dloss = *args.inputs[4].f32()});
}

}  // namespace

template <>
Kernel kernel_for(const LinearCrossEntropy&, Types inputs) {
  return {run_forward, Scratch(inputs).bytes()};
}
template <>
Kernel kernel_for(const LinearCrossEntropyBackward&, Types inputs) {
  return {run_backward, Scratch(inputs).bytes()};
}

}  // namespace hearth::HEARTH_ISA
