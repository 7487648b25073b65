// linear_cross_entropy and its backward, CUDA
// math:     y = x · wᵀ;  z = factor y, or cap tanh(factor y);  lse[t] = log Σ_v exp z[t,v]
//           loss = Σ_t weights[t] (lse[t] - z[t, targets[t]])
//           dz = dloss weights[t] (exp(z - lse[t]) - [v = targets[t]]);  dx = dy · w;  dw = dyᵀ · x
// shapes:   x, dx [T,C] f32 or bf16, w [V,C] any weight dtype but the grid ones, dw [V,C] f32, targets [T] i32,
//           weights [T] f32, loss, dloss [1]
// traffic:  2·T·V·C flops, backward 4 or 6: compute bound
// mapping:  tokens in chunks, whose logits, then their gradient in their place, lie in scratch; products by BLAS, a w
//           of another dtype than x made such in panels; one block a row of logits
// needs:    nothing
// numerics: sums and logits in fp32; beside a bf16 x, w and dy are rounded to bf16; the largest logit is subtracted;
//           sums in fixed trees
#include "runtime/ops/linear_cross_entropy/chunks.cuh"

namespace hearth::HEARTH_GPU {
namespace {

void launch_forward(const KernelArgs& args, const Worker& me) {
  run_chunks(args, stream_of(me),
             {.form = static_cast<const LinearCrossEntropy&>(*args.op).form,
              .weights = args.inputs[3].f32(),
              .loss = args.outputs[0].f32()});
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const LinearCrossEntropyBackward&>(*args.op);
  run_chunks(args, stream_of(me),
             {.form = op.form,
              .weights = args.inputs[3].f32(),
              .loss = args.outputs[0].f32(),
              .dx = args.outputs[1].data,
              .dw = op.trains_w ? args.outputs[2].f32() : nullptr,
              .dloss = args.inputs[4].f32()});
}

}  // namespace

template <>
Kernel kernel_for(const LinearCrossEntropy&, Types inputs) {
  return chunked_kernel(launch_forward, inputs);
}
template <>
Kernel kernel_for(const LinearCrossEntropyBackward&, Types inputs) {
  return chunked_kernel(launch_backward, inputs);
}

}  // namespace hearth::HEARTH_GPU
