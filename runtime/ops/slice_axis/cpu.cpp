// slice_axis and pad_axis, CPU
// math:     a range of one axis, and back among zeros
// shapes:   x [...,size,...], y [...,n,...] f32 (slice_axis: or i32)
// traffic:  2·bytes(y): memory bound
// mapping:  rows of the axis with what lies behind it are split
// needs:    nothing
// numerics: copies
#include "runtime/ops/slice_axis/slice_axis.h"

#include <cstring>

#include "runtime/kernels/isa.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_slice(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const SliceAxis&>(*args.op);
  const AxisRows from = axis_rows(args.inputs[0].shape(), op.axis), to = axis_rows(args.outputs[0].shape(), op.axis);
  const auto [begin, end] = me.share(from.n_rows);
  for (int64_t row = begin; row < end; ++row)
    memcpy(args.outputs[0].f32() + row * to.width, args.inputs[0].f32() + row * from.width + op.begin * from.inner,
           static_cast<size_t>(to.width) * 4);
}

void run_pad(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const PadAxis&>(*args.op);
  const AxisRows from = axis_rows(args.inputs[0].shape(), op.axis), to = axis_rows(args.outputs[0].shape(), op.axis);
  const auto [begin, end] = me.share(from.n_rows);
  for (int64_t row = begin; row < end; ++row) {
    float* y = args.outputs[0].f32() + row * to.width;
    memset(y, 0, static_cast<size_t>(to.width) * 4);
    memcpy(y + op.begin * to.inner, args.inputs[0].f32() + row * from.width, static_cast<size_t>(from.width) * 4);
  }
}

}  // namespace

template <>
Kernel kernel_for(const SliceAxis&, Types) {
  return {run_slice};
}
template <>
Kernel kernel_for(const PadAxis&, Types) {
  return {run_pad};
}

}  // namespace hearth::HEARTH_ISA
