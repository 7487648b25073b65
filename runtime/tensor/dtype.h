// Element types. Block-quantised types are dtypes like any other: bytes are counted in whole blocks of the last axis.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace hearth {

// The quantised ones are those of GGUF by its own names, then three that hold Hugging Face checkpoints without loss:
// e4m3 or int8 with a float scale per 128 elements, and the four-bit normal floats of bitsandbytes.
enum class Dtype : uint8_t {
  f32,
  f16,
  bf16,
  i32,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  tq1_0,
  tq2_0,
  mxfp4,
  f8x128,
  i8x128,
  nf4,
};
inline constexpr int kNumDtypes = 29;

struct DtypeInfo {
  const char* name;         // "f32", "q8_0", ...
  const char* safetensors;  // "F32"; nullptr: that format cannot hold it
  int gguf;                 // ggml type number; -1: that format cannot hold it
  int block_elements;       // 1 unless quantised
  int block_bytes;
  bool is_quantised;
  bool can_encode;  // from_float() knows it
};
const DtypeInfo& dtype_info(Dtype dtype);
Result<Dtype> dtype_from_name(std::string_view name);
// Weights of this dtype can be multiplied with q8_0 activations as integers.
bool has_integer_levels(Dtype dtype);

// Bytes of n elements; n must be a whole number of blocks.
inline int64_t dtype_bytes(Dtype dtype, int64_t n) {
  const DtypeInfo& info = dtype_info(dtype);
  return n / info.block_elements * info.block_bytes;
}

// The one conversion path; n elements, whole blocks. i32 is not a weight type and is refused by CHECK, as is a dtype
// that cannot be encoded by from_float(). Plain loops with SIMD behind CPUID; results are the same bits on every path.
void to_float(Dtype from, const void* source, float* out, int64_t n);
void from_float(Dtype to, const float* source, void* out, int64_t n);

}  // namespace hearth
