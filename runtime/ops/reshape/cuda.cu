// reshape, CUDA: a copy. Plans share the buffer and never call it; it serves who runs the op by itself.
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/reshape/reshape.h"

namespace hearth {
namespace {

void launch(const KernelArgs& args, void* stream) {
  cudaMemcpyAsync(args.outputs[0].data, args.inputs[0].data, static_cast<size_t>(args.outputs[0].type.bytes()),
                  cudaMemcpyDeviceToDevice, cuda::stream_of(stream));
}

}  // namespace

CudaKernel Reshape::cuda_kernel(Types) const {
  return {launch};
}

}  // namespace hearth
