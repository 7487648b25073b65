// fetch, CUDA
// math:     y = x
// shapes:   x, y of one shape and dtype; x in the host's memory or the device's
// traffic:  every byte over the link once: bound by it
// mapping:  one copy by the copy engine, on the stream of its lane
// needs:    nothing; from pinned memory it runs beside kernels
// numerics: exact
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/fetch/fetch.h"

namespace hearth::HEARTH_GPU {
namespace {

void launch(const KernelArgs& args, const Worker& me) {
  copy_bytes(stream_of(me), args.outputs[0].data, args.inputs[0].data,
             static_cast<size_t>(args.inputs[0].type.bytes()));
}

}  // namespace

template <>
Kernel kernel_for(const Fetch&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
