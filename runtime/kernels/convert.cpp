// Widening loops per dtype. Every path gives the same bits: each element is one exact conversion and at most one
// product.
#include "runtime/kernels/convert.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

template <class LoadVector, class LoadOne>
void widen_halves(const uint16_t* source, float* out, int64_t n, LoadVector load_vector, LoadOne load_one) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, load_vector(source + i));
  for (; i < n; ++i) out[i] = load_one(source[i]);
}

template <class Block>
void widen_blocks(const Block* blocks, float* out, int64_t n) {
  for (int64_t b = 0; b < n / kQuantBlock; ++b) {
    Vec v[kBlockVecs];
    load_block(blocks[b], v);
    const float scale = scale_of(blocks[b].scale);
    for (int i = 0; i < kBlockVecs; ++i) store(out + b * kQuantBlock + i * kLanes, v[i] * scale);
  }
}

}  // namespace

void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n) {
  switch (dtype) {
    case Dtype::f32:
      memcpy(out, static_cast<const float*>(source) + offset, static_cast<size_t>(n) * 4);
      return;
    case Dtype::f16:
      return widen_halves(
          static_cast<const uint16_t*>(source) + offset, out, n, [](const uint16_t* p) { return load_f16(p); },
          [](uint16_t h) { return f16_to_float(h); });
    case Dtype::bf16:
      return widen_halves(
          static_cast<const uint16_t*>(source) + offset, out, n, [](const uint16_t* p) { return load_bf16(p); },
          [](uint16_t h) { return bf16_to_float(h); });
    case Dtype::q8_0:
      return widen_blocks(static_cast<const BlockQ8_0*>(source) + offset / kQuantBlock, out, n);
    case Dtype::q4_0:
      return widen_blocks(static_cast<const BlockQ4_0*>(source) + offset / kQuantBlock, out, n);
    case Dtype::i32:
      return;  // refused by every caller's shape rule
  }
}

}  // namespace hearth::HEARTH_ISA

#if HEARTH_ISA_LEVEL == 0
namespace hearth {
#if defined(__x86_64__)
namespace avx2 {
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);
}
namespace avx512 {
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);
}
#endif

WidenFunction best_widen() {
  switch (best_isa(cpu_features())) {
#if defined(__x86_64__)
    case Isa::avx512:
      return avx512::widen;
    case Isa::avx2:
      return avx2::widen;
#endif
    default:
      return portable::widen;
  }
}

}  // namespace hearth
#endif
