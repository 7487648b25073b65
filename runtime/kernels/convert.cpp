// Widening loops per dtype. Every path gives the same bits: each element is one exact conversion, then a product and a
// sum that are rounded apart.
#include "runtime/kernels/convert.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/load_group.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

template <class LoadVector, class LoadOne>
void widen_halves(const uint16_t* source, float* out, int64_t n, LoadVector load_vector, LoadOne load_one) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, load_vector(source + i));
  for (; i < n; ++i) out[i] = load_one(source[i]);
}

template <Dtype dtype>
void widen_blocks(const void* source, int64_t offset, float* out, int64_t n) {
  using C = Codec<dtype>;
  const auto* blocks = static_cast<const typename C::Block*>(source);
  for (int64_t i = 0; i < n; i += kQuantBlock) {
    Vec v[kBlockVecs];
    load_group<dtype>(blocks[(offset + i) / C::kElements], static_cast<int>((offset + i) % C::kElements) / kQuantBlock,
                      v);
    for (int j = 0; j < kBlockVecs; ++j) store(out + i + j * kLanes, v[j]);
  }
}

}  // namespace

void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n) {
  switch (dtype) {
    case Dtype::f32:
      if (n > 0) memcpy(out, static_cast<const float*>(source) + offset, static_cast<size_t>(n) * 4);
      return;
    case Dtype::f16:
      return widen_halves(
          static_cast<const uint16_t*>(source) + offset, out, n, [](const uint16_t* p) { return load_f16(p); },
          [](uint16_t h) { return f16_to_float(h); });
    case Dtype::bf16:
      return widen_halves(
          static_cast<const uint16_t*>(source) + offset, out, n, [](const uint16_t* p) { return load_bf16(p); },
          [](uint16_t h) { return bf16_to_float(h); });
#define HEARTH_WIDEN(T) \
  case Dtype::T:        \
    return widen_blocks<Dtype::T>(source, offset, out, n);
      HEARTH_QUANTISED(HEARTH_WIDEN)
#undef HEARTH_WIDEN
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
