// global_norm, CPU
// math:     norm = sqrt(Σ_i Σ g_i²);  scale = max_norm / norm where the norm is more than max_norm, else 1
// shapes:   loss [1], gradients f32 of any shape; norm, scale [1]; scratch: a double a chunk
// traffic:  4 B and 2 flops an element: memory bound
// mapping:  all gradients as one list of chunks, each thread takes a contiguous part of the list
// needs:    nothing
// numerics: chunks summed in double, then the chunks in order: the same at every thread count
#include "runtime/ops/global_norm/global_norm.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int64_t kChunk = 1 << 15;  // 128 KiB: fine grained enough to share, far above call cost

int64_t chunks_in(int64_t n) {
  return (n + kChunk - 1) / kChunk;
}

using Wide = double __attribute__((vector_size(64)));
using Eight = float __attribute__((vector_size(32)));

double sum_of_squares(const float* g, int64_t n) {
  Wide sums{};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    Eight x;
    memcpy(&x, g + i, sizeof(x));
    const Wide wide = __builtin_convertvector(x, Wide);
    sums += wide * wide;
  }
  double sum = 0;
  for (int k = 0; k < 8; ++k) sum += sums[k];
  for (; i < n; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  return sum;
}

void run(const KernelArgs& args, const Worker& me) {
  auto* sums = reinterpret_cast<double*>(args.scratch);
  int64_t n_chunks = 0;
  for (const TensorView& g : args.inputs.subspan(1)) n_chunks += chunks_in(g.shape().n_elements());
  const auto [begin, end] = me.share(n_chunks);
  int64_t first = 0;  // of this gradient's chunks
  for (const TensorView& g : args.inputs.subspan(1)) {
    const int64_t n = g.shape().n_elements(), last = first + chunks_in(n);
    for (int64_t i = begin > first ? begin : first; i < (end < last ? end : last); ++i) {
      const int64_t at = (i - first) * kChunk;
      sums[i] = sum_of_squares(g.f32() + at, n - at < kChunk ? n - at : kChunk);
    }
    first = last;
  }
  me.sync();
  if (me.rank != 0) return;
  double sum = 0;
  for (int64_t i = 0; i < n_chunks; ++i) sum += sums[i];
  const NormAndScale out =
      norm_and_scale(sum, *args.inputs[0].f32(), static_cast<const GlobalNorm&>(*args.op).max_norm);
  *args.outputs[0].f32() = out.norm;
  *args.outputs[1].f32() = out.scale;
}

}  // namespace

template <>
Kernel kernel_for(const GlobalNorm&, Types inputs) {
  int64_t n_chunks = 0;
  for (const TensorType& type : inputs.subspan(1)) n_chunks += chunks_in(type.shape.n_elements());
  return {run, static_cast<size_t>(n_chunks) * sizeof(double)};
}

}  // namespace hearth::HEARTH_ISA
