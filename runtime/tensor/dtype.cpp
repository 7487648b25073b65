// The dtype table, and the two conversions' entry points.
#include "runtime/tensor/dtype.h"

#include "base/check.h"
#include "runtime/kernels/convert.h"
#include "runtime/tensor/codecs/all.h"
#include "runtime/tensor/codecs/encode.h"

namespace hearth {
namespace {

constexpr DtypeInfo kDtypes[kNumDtypes] = {
    // name, safetensors, GGUF number, elements and bytes of a block, quantised, can be encoded
    {"f32", "F32", 0, 1, 4, false, true},           {"f16", "F16", 1, 1, 2, false, true},
    {"bf16", "BF16", 30, 1, 2, false, true},        {"i32", "I32", 26, 1, 4, false, false},
    {"q8_0", nullptr, 8, 32, 34, true, true},       {"q4_0", nullptr, 2, 32, 18, true, true},
    {"q4_1", nullptr, 3, 32, 20, true, true},       {"q5_0", nullptr, 6, 32, 22, true, true},
    {"q5_1", nullptr, 7, 32, 24, true, true},       {"q2_k", nullptr, 10, 256, 84, true, true},
    {"q3_k", nullptr, 11, 256, 110, true, true},    {"q4_k", nullptr, 12, 256, 144, true, true},
    {"q5_k", nullptr, 13, 256, 176, true, true},    {"q6_k", nullptr, 14, 256, 210, true, true},
    {"iq4_nl", nullptr, 20, 32, 18, true, true},    {"iq4_xs", nullptr, 23, 256, 136, true, true},
    {"iq1_s", nullptr, 19, 256, 50, true, false},   {"iq1_m", nullptr, 29, 256, 56, true, false},
    {"iq2_xxs", nullptr, 16, 256, 66, true, false}, {"iq2_xs", nullptr, 17, 256, 74, true, false},
    {"iq2_s", nullptr, 22, 256, 82, true, false},   {"iq3_xxs", nullptr, 18, 256, 98, true, false},
    {"iq3_s", nullptr, 21, 256, 110, true, false},  {"tq1_0", nullptr, 34, 256, 54, true, true},
    {"tq2_0", nullptr, 35, 256, 66, true, true},    {"mxfp4", nullptr, 39, 32, 17, true, true},
    {"f8x128", nullptr, -1, 128, 132, true, true},  {"i8x128", nullptr, -1, 128, 132, true, true},
    {"nf4", nullptr, -1, 64, 36, true, true},
};

constexpr bool table_agrees(Dtype dtype, int elements, size_t bytes) {
  const DtypeInfo& info = kDtypes[static_cast<int>(dtype)];
  return info.block_elements == elements && info.block_bytes == static_cast<int>(bytes) && elements % kQuantBlock == 0;
}
#define HEARTH_CHECK_BLOCK(T) \
  static_assert(table_agrees(Dtype::T, Codec<Dtype::T>::kElements, sizeof(Codec<Dtype::T>::Block)));
HEARTH_QUANTISED(HEARTH_CHECK_BLOCK)
#undef HEARTH_CHECK_BLOCK

}  // namespace

const DtypeInfo& dtype_info(Dtype dtype) {
  return kDtypes[static_cast<int>(dtype)];
}

Result<Dtype> dtype_from_name(std::string_view name) {
  std::string known;
  for (int i = 0; i < kNumDtypes; ++i) {
    if (name == kDtypes[i].name) return static_cast<Dtype>(i);
    known += (i ? ", " : "") + std::string(kDtypes[i].name);
  }
  return error(Code::invalid_argument, "unknown dtype \"{}\"; known: {}", name, known);
}

bool has_integer_levels(Dtype dtype) {
  switch (dtype) {
#define HEARTH_CASE(T) case Dtype::T:
    HEARTH_INTEGER_LEVELS(HEARTH_CASE)
#undef HEARTH_CASE
    return true;
    default:
      return false;
  }
}

void to_float(Dtype from, const void* source, float* out, int64_t n) {
  CHECK(from != Dtype::i32);  // not a weight dtype
  static const WidenFunction widen = best_widen();
  widen(from, source, 0, out, n);
}

void from_float(Dtype to, const float* source, void* out, int64_t n) {
  CHECK(dtype_info(to).can_encode);  // callers ask the table first
  encode_rows(to, source, out, n);
}

}  // namespace hearth
