// rope, CUDA
// math:     pairs (x_i, x_{i+n}) or (x_2i, x_2i+1) rotated by positions[t] * inverse_frequencies[i], times magnitude
// shapes:   x, y [T,N,D] f32 or bf16, positions [T] i32
// traffic:  8 B and 3 flops an element: memory bound
// mapping:  one thread a pair; a copy first when a part of the head stays
// needs:    at most 256 pairs: the frequencies travel as a kernel parameter
// numerics: sinf and cosf of the float product, as the reference
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/rope/rope.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int kMaxPairs = 256;
struct Frequencies {
  float values[kMaxPairs];
};

template <class A>
__global__ void rope_kernel(const A* x, const int32_t* positions, A* y, int64_t n_pairs, int64_t n_heads, int64_t D,
                            int64_t half, RopeLayout layout, const __grid_constant__ Frequencies frequencies,
                            float magnitude, float sign) {
  const int64_t index = thread_index();
  if (index >= n_pairs) return;
  const int64_t i = index % half, head = index / half, t = head / n_heads;
  const float angle = static_cast<float>(positions[t]) * frequencies.values[i];
  const float c = cosf(angle) * magnitude, s = sinf(angle) * magnitude * sign;
  const int64_t first = head * D + layout.begin + (layout.interleaved ? 2 * i : i);
  const int64_t second = layout.interleaved ? first + 1 : first + half;
  const float a = x[first], b = x[second];
  y[first] = a * c - b * s;
  y[second] = b * c + a * s;
}

void launch(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Rope&>(*args.op);
  const int64_t n_elements = args.inputs[0].shape().n_elements(), half = op.n_pairs();
  const int64_t n_pairs = n_elements / op.head_dim * half;
  if (2 * half < op.head_dim)
    copy_bytes(stream_of(me), args.outputs[0].data, args.inputs[0].data,
               static_cast<size_t>(args.outputs[0].type.bytes()));
  Frequencies frequencies{};
  for (int64_t i = 0; i < half; ++i) frequencies.values[i] = op.inverse_frequencies[static_cast<size_t>(i)];
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<rope_kernel<A>>(blocks_for(n_pairs), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                  args.inputs[1].i32(), args.outputs[0].as<A>(), n_pairs, args.inputs[0].dim(1),
                                  op.head_dim, half, op.layout, frequencies, op.magnitude, op.inverse ? -1.0f : 1.0f);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Rope& op, Types) {
  if (op.n_pairs() > kMaxPairs) return {};
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
