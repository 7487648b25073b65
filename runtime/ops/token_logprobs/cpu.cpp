// token_logprobs and its backward, CPU
// math:     y = x · wᵀ;  z = factor y, or cap tanh(factor y);  logprobs[t] = z[t, targets[t]] - log Σ_v exp z[t,v]
//           dz = dlogprobs[t] ([v = targets[t]] - exp(z - lse[t]));  dx = dy · w;  dw = dyᵀ · x
// shapes:   x, dx [T,C] f32, w [V,C] any weight dtype, dw [V,C] f32, targets [T] i32, logprobs, dlogprobs [T] f32
// traffic:  2·T·V·C flops, backward 4 or 6; w is read once a chunk: compute bound from about 64 tokens a chunk
// mapping:  as linear_cross_entropy: tokens with a target in chunks
// needs:    nothing
// numerics: as linear_cross_entropy
#include "runtime/ops/token_logprobs/token_logprobs.h"

#include "runtime/ops/linear_cross_entropy/chunks.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  run_chunks(args, me, {.form = static_cast<const TokenLogprobs&>(*args.op).form, .logprobs = args.outputs[0].f32()});
}

// The gradient of -Σ dlogprobs[t] · nll[t].
void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const TokenLogprobsBackward&>(*args.op);
  run_chunks(args, me,
             {.form = op.form,
              .weights = args.inputs[3].f32(),
              .dx = args.outputs[0],
              .dw = op.trains_w ? args.outputs[1] : TensorView(),
              .dloss = -1});
}

}  // namespace

template <>
Kernel kernel_for(const TokenLogprobs&, Types inputs) {
  return {run_forward, Scratch(inputs).bytes()};
}
template <>
Kernel kernel_for(const TokenLogprobsBackward&, Types inputs) {
  return {run_backward, Scratch(inputs).bytes()};
}

}  // namespace hearth::HEARTH_ISA
