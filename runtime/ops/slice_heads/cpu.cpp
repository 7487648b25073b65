// slice_heads and pad_heads, CPU
// math:     y[t,h,i] = x[t,h,begin + i], and back among zeros
// shapes:   x [...,D] f32, y [...,n] f32
// traffic:  2·T·H·n·4 B (pad: T·H·(n + D)·4 B): memory bound
// mapping:  heads of all tokens are split
// needs:    nothing
// numerics: copies
#include "runtime/ops/slice_heads/slice_heads.h"

#include <cstring>

#include "runtime/kernels/isa.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_slice(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const SliceHeads&>(*args.op);
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements() / op.n);
  for (int64_t h = begin; h < end; ++h)
    memcpy(args.outputs[0].f32() + h * op.n, args.inputs[0].f32() + h * op.head_dim + op.begin,
           static_cast<size_t>(op.n) * 4);
}

void run_pad(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const PadHeads&>(*args.op);
  const auto [begin, end] = me.share(args.inputs[0].shape().n_elements() / op.n);
  for (int64_t h = begin; h < end; ++h) {
    float* y = args.outputs[0].f32() + h * op.head_dim;
    memset(y, 0, static_cast<size_t>(op.head_dim) * 4);
    memcpy(y + op.begin, args.inputs[0].f32() + h * op.n, static_cast<size_t>(op.n) * 4);
  }
}

}  // namespace

template <>
Kernel kernel_for(const SliceHeads&, Types) {
  return {run_slice};
}
template <>
Kernel kernel_for(const PadHeads&, Types) {
  return {run_pad};
}

}  // namespace hearth::HEARTH_ISA
