// split_axis and merge_axes, CUDA: a copy. Plans share the buffer and never call it; it serves who runs an op by
// itself.
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/split_axis/split_axis.h"

namespace hearth::HEARTH_GPU {
namespace {

void launch(const KernelArgs& args, const Worker& me) {
  copy_bytes(stream_of(me), args.outputs[0].data, args.inputs[0].data,
             static_cast<size_t>(args.outputs[0].type.bytes()));
}

}  // namespace

template <>
Kernel kernel_for(const SplitAxis&, Types) {
  return {launch};
}
template <>
Kernel kernel_for(const MergeAxes&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
