// concat_heads, CPU
// math:     y[t,h] = a[t,h] ‖ b[t,h]
// shapes:   a [T,H,A] f32, b [T,H,B] f32, y [T,H,A+B] f32
// traffic:  2·T·H·(A+B)·4 B: memory bound
// mapping:  heads of all tokens are split
// needs:    nothing
// numerics: copies
#include "runtime/ops/concat_heads/concat_heads.h"

#include <cstring>

#include "runtime/kernels/isa.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const int64_t A = args.inputs[0].shape().last(), B = args.inputs[1].shape().last();
  const auto [begin, end] = me.share(args.inputs[0].shape().n_rows());
  for (int64_t h = begin; h < end; ++h) {
    float* y = args.outputs[0].f32() + h * (A + B);
    memcpy(y, args.inputs[0].f32() + h * A, static_cast<size_t>(A) * 4);
    memcpy(y + A, args.inputs[1].f32() + h * B, static_cast<size_t>(B) * 4);
  }
}

}  // namespace

template <>
Kernel kernel_for(const ConcatHeads&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
