// quantise, CPU
// math:     d = max |x| / 127 over 32 elements, q = x / d rounded to the nearest, halves away from zero
// shapes:   x f32 → q8_0 of the same shape
// traffic:  4 B read and 1.06 B written an element: memory bound outside of the caches
// mapping:  blocks split evenly
// needs:    whole blocks
// numerics: the bits of the codec's encoder; a block with NaN or infinity is NaN
#include "runtime/ops/quantise/quantise.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/tensor/codecs/simple.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int kVecs = kQuantBlock / kLanes;
constexpr uint16_t kHalfNan = 0x7e00;

HEARTH_INLINE Vec magnitude(Vec v) {
  return as_float(as_int(v) & 0x7fffffff);
}
// Halves away from zero. The fraction is exact.
HEARTH_INLINE IntVec nearest(Vec v) {
  const IntVec whole = __builtin_convertvector(v, IntVec);
  const Vec fraction = v - __builtin_convertvector(whole, Vec);
  return whole - (fraction >= 0.5f) + (fraction <= -0.5f);  // a comparison that holds is -1
}

HEARTH_INLINE void quantise_block(const float* x, BlockQ8_0& block) {
  Vec v[kVecs], largest{}, nothing{};  // the last: 0, or NaN where something is no number
  for (int i = 0; i < kVecs; ++i) {
    v[i] = load(x + i * kLanes);
    largest = max(largest, magnitude(v[i])), nothing += v[i] * 0.0f;
  }
  if (sum_lanes(nothing) != 0) {
    block = {kHalfNan, {}};
    return;
  }
  const float scale = max_lanes(largest) / 127.0f, inverse = scale != 0 ? 1.0f / scale : 0;
  block.scale = float_to_f16(scale);
  for (int i = 0; i < kVecs; ++i) {
    const IntVec q = nearest(v[i] * inverse);
    for (int j = 0; j < kLanes; ++j) block.q[i * kLanes + j] = static_cast<int8_t>(q[j]);
  }
}

void run_quantise(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  auto* blocks = args.outputs[0].as<BlockQ8_0>();
  const auto [begin, end] = me.share(args.inputs[0].shape().n_elements() / kQuantBlock, 8);
  for (int64_t b = begin; b < end; ++b) quantise_block(x + b * kQuantBlock, blocks[b]);
}

}  // namespace

template <>
Kernel kernel_for(const Quantise&, Types) {
  return {run_quantise};
}

}  // namespace hearth::HEARTH_ISA
