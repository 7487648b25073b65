// sample_tokens, CPU
// math:     ids[t] = the token at which the weights of those kept, in order, pass `uniform` of their sum
// shapes:   logits [T,V], choices [T,6] f32, ids [T] i32
// traffic:  a pass over a row for each bit of up to three keys: the engine's sampler is quicker here, and takes it
// mapping:  rows split
// needs:    nothing
// numerics: weights in fp32, sums in fp64 in order
#include "runtime/kernels/isa.h"
#include "runtime/ops/sample_tokens/draw.h"

namespace hearth::HEARTH_ISA {
namespace {

struct Row {
  int64_t V;
  template <class F>
  double sum(F f) const {
    double total = 0;
    for (int64_t i = 0; i < V; ++i) total += f(i);
    return total;
  }
  template <class F>
  uint64_t largest(F f) const {
    uint64_t best = 0;
    for (int64_t i = 0; i < V; ++i) best = f(i) > best ? f(i) : best;
    return best;
  }
};

void run(const KernelArgs& args, const Worker& me) {
  const int64_t V = args.inputs[0].dim(1);
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t) {
    const float* logits = args.inputs[0].f32() + t * V;
    args.outputs[0].i32()[t] = static_cast<int32_t>(draw_token(logits, V, args.inputs[1].as<DrawChoice>()[t], Row{V}));
  }
}

}  // namespace

template <>
Kernel kernel_for(const SampleTokens&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
