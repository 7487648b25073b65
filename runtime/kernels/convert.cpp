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

// Groups [begin, end) of a block.
template <Dtype dtype>
HEARTH_INLINE void widen_groups(const typename Codec<dtype>::Block& block, int begin, int end, float* out) {
  BlockScales<dtype> scales;
  if constexpr (Codec<dtype>::kElements > kQuantBlock) read_scales<dtype>(block, scales);
  for (int g = begin; g < end; ++g, out += kQuantBlock) {
    Vec v[kBlockVecs];
    load_group<dtype, Rounding::codec>(block, scales, g, v);
    for (int j = 0; j < kBlockVecs; ++j) store(out + j * kLanes, v[j]);
  }
}

template <Dtype dtype>
void widen_blocks(const void* source, int64_t offset, float* out, int64_t n) {
  using C = Codec<dtype>;
  constexpr int64_t kGroups = C::kElements / kQuantBlock;
  const auto* blocks = static_cast<const typename C::Block*>(source);
  for (int64_t g = offset / kQuantBlock, end = (offset + n) / kQuantBlock; g < end;) {
    const int64_t block = g / kGroups, first = g % kGroups,
                  last = first + end - g < kGroups ? first + end - g : kGroups;
    widen_groups<dtype>(blocks[block], static_cast<int>(first), static_cast<int>(last), out);
    g += last - first, out += (last - first) * kQuantBlock;
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
