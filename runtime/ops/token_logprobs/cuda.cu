// token_logprobs and its backward, CUDA
// math:     y = x · wᵀ;  z = factor y, or cap tanh(factor y);  logprobs[t] = z[t, targets[t]] - log Σ_v exp z[t,v]
//           dz = dlogprobs[t] ([v = targets[t]] - exp(z - lse[t]));  dx = dy · w;  dw = dyᵀ · x
// shapes:   x, dx [T,C] f32 or bf16, w [V,C] any weight dtype but the grid ones, dw [V,C] f32, targets [T] i32,
//           logprobs, dlogprobs [T] f32
// traffic:  2·T·V·C flops, backward 4 or 6: compute bound
// mapping:  as linear_cross_entropy: tokens in chunks, one block a row of logits
// needs:    nothing
// numerics: as linear_cross_entropy
#include "runtime/ops/token_logprobs/token_logprobs.h"

#include "runtime/ops/linear_cross_entropy/chunks.cuh"

namespace hearth::HEARTH_GPU {
namespace {

void launch_forward(const KernelArgs& args, const Worker& me) {
  run_chunks(args, stream_of(me),
             {.form = static_cast<const TokenLogprobs&>(*args.op).form, .logprobs = args.outputs[0].f32()});
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const TokenLogprobsBackward&>(*args.op);
  run_chunks(args, stream_of(me),
             {.form = op.form,
              .weights = args.inputs[3].f32(),
              .dx = args.outputs[0].data,
              .dw = op.trains_w ? args.outputs[1].f32() : nullptr});
}

}  // namespace

template <>
Kernel kernel_for(const TokenLogprobs&, Types inputs) {
  return chunked_kernel(launch_forward, inputs);
}
template <>
Kernel kernel_for(const TokenLogprobsBackward&, Types inputs) {
  return chunked_kernel(launch_backward, inputs);
}

}  // namespace hearth::HEARTH_GPU
