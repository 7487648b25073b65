// The dtype table and the conversions between float and every weight type.
#include "runtime/tensor/dtype.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "runtime/kernels/convert.h"
#include "runtime/tensor/scalar.h"

namespace hearth {
namespace {

constexpr DtypeInfo kDtypes[kNumDtypes] = {
    {"f32", "F32", 0, 1, 4, false},  {"f16", "F16", 1, 1, 2, false},     {"bf16", "BF16", 30, 1, 2, false},
    {"i32", "I32", 26, 1, 4, false}, {"q8_0", nullptr, 8, 32, 34, true}, {"q4_0", nullptr, 2, 32, 18, true},
};

// The scale is kept as f16, so quantise against the rounded one only where the reference implementation does (it does
// not).
void quantise_q8_0(const float* x, BlockQ8_0& block) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float scale = largest / 127.0f;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  block.scale = float_to_f16(scale);
  for (int i = 0; i < 32; ++i) block.q[i] = static_cast<int8_t>(std::round(x[i] * inverse));
}

// The element of largest magnitude maps to -8, so that its sign decides the sign of the scale.
void quantise_q4_0(const float* x, BlockQ4_0& block) {
  float largest = 0, signed_largest = 0;
  for (int i = 0; i < 32; ++i)
    if (std::fabs(x[i]) > largest) largest = std::fabs(x[i]), signed_largest = x[i];
  const float scale = signed_largest / -8.0f;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  block.scale = float_to_f16(scale);
  auto level = [&](float v) {
    return static_cast<uint8_t>(std::min(15, static_cast<int>(static_cast<int8_t>(v * inverse + 8.5f))));
  };
  for (int i = 0; i < 16; ++i) block.q[i] = static_cast<uint8_t>(level(x[i]) | (level(x[i + 16]) << 4));
}

}  // namespace

const DtypeInfo& dtype_info(Dtype dtype) {
  return kDtypes[static_cast<int>(dtype)];
}

Result<Dtype> dtype_from_name(std::string_view name) {
  for (int i = 0; i < kNumDtypes; ++i)
    if (name == kDtypes[i].name) return static_cast<Dtype>(i);
  return error(Code::invalid_argument, "unknown dtype \"{}\"; known: f32, f16, bf16, q8_0, q4_0", name);
}

void to_float(Dtype from, const void* source, float* out, int64_t n) {
  CHECK(from != Dtype::i32);  // not a weight dtype
  static const WidenFunction widen = best_widen();
  widen(from, source, 0, out, n);
}

void from_float(Dtype to, const float* source, void* out, int64_t n) {
  uint16_t* halves = static_cast<uint16_t*>(out);
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
    case Dtype::q8_0:
      for (int64_t b = 0; b < n / 32; ++b) quantise_q8_0(source + b * 32, static_cast<BlockQ8_0*>(out)[b]);
      return;
    case Dtype::q4_0:
      for (int64_t b = 0; b < n / 32; ++b) quantise_q4_0(source + b * 32, static_cast<BlockQ4_0*>(out)[b]);
      return;
    case Dtype::i32:
      break;
  }
  CHECK(!"i32 is not a weight dtype");
}

}  // namespace hearth
