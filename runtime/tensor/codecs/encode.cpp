// Which encoder a dtype has.
#include "runtime/tensor/codecs/encode.h"

#include <cstring>

#include "base/check.h"

namespace hearth {
namespace {

template <Dtype dtype>
void encode_blocks(const float* source, void* out, int64_t n) {
  using C = Codec<dtype>;
  auto* blocks = static_cast<typename C::Block*>(out);
  for (int64_t b = 0; b < n / C::kElements; ++b) encode(source + b * C::kElements, blocks[b]);
}

}  // namespace

void encode_rows(Dtype to, const float* source, void* out, int64_t n) {
  auto* halves = static_cast<uint16_t*>(out);
  switch (to) {
    case Dtype::f32:
      std::memcpy(out, source, static_cast<size_t>(n) * 4);
      return;
    case Dtype::f16:
      for (int64_t i = 0; i < n; ++i) halves[i] = float_to_f16(source[i]);
      return;
    case Dtype::bf16:
      for (int64_t i = 0; i < n; ++i) halves[i] = float_to_bf16(source[i]);
      return;
#define HEARTH_ENCODE(T) \
  case Dtype::T:         \
    return encode_blocks<Dtype::T>(source, out, n);
      HEARTH_ENCODE(q8_0)
      HEARTH_ENCODE(q4_0)
      HEARTH_ENCODE(q4_1)
      HEARTH_ENCODE(q5_0)
      HEARTH_ENCODE(q5_1)
      HEARTH_ENCODE(q2_k)
      HEARTH_ENCODE(q3_k)
      HEARTH_ENCODE(q4_k)
      HEARTH_ENCODE(q5_k)
      HEARTH_ENCODE(q6_k)
      HEARTH_ENCODE(iq4_nl)
      HEARTH_ENCODE(iq4_xs)
      HEARTH_ENCODE(tq1_0)
      HEARTH_ENCODE(tq2_0)
      HEARTH_ENCODE(mxfp4)
      HEARTH_ENCODE(f8x128)
      HEARTH_ENCODE(i8x128)
      HEARTH_ENCODE(nf4)
#undef HEARTH_ENCODE
    default:
      CHECK(!"a dtype that the table says cannot be encoded");
  }
}

}  // namespace hearth
