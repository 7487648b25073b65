// The mix that is customary for GGUF files.
#include "model_store/formats/quantisation_mix.h"

#include "model_store/formats/save.h"

namespace hearth {
namespace {

bool is_fewer_bits_than_q6_k(Dtype dtype) {
  const DtypeInfo &info = dtype_info(dtype), &q6_k = dtype_info(Dtype::q6_k);
  return info.block_elements == 256 && info.block_bytes < q6_k.block_bytes;
}

Dtype with_blocks_of_32(Dtype dtype) {
  switch (dtype) {
    case Dtype::q4_k:
      return Dtype::q5_0;
    case Dtype::q5_k:
      return Dtype::q5_1;
    case Dtype::q6_k:
      return Dtype::q8_0;
    default:
      return Dtype::iq4_nl;
  }
}

bool fits(int64_t row, Dtype dtype) {
  return row % dtype_info(dtype).block_elements == 0;
}

}  // namespace

Dtype dtype_in_gguf(const ParameterSpec& spec, int64_t row, std::optional<Dtype> wanted, Dtype stored) {
  if (is_vector(spec.kind)) return Dtype::f32;
  if (!wanted) return dtype_info(stored).gguf >= 0 && fits(row, stored) ? stored : Dtype::f32;
  Dtype dtype = *wanted;
  const bool is_outer = spec.kind == ParameterKind::embedding || spec.role == "lm_head";
  if (is_outer && is_fewer_bits_than_q6_k(dtype)) dtype = Dtype::q6_k;
  if (!fits(row, dtype) && dtype_info(dtype).block_elements == 256) dtype = with_blocks_of_32(dtype);
  return fits(row, dtype) ? dtype : Dtype::f16;
}

std::vector<std::string_view> gguf_dtype_names() {
  std::vector<std::string_view> out;
  for (int i = 0; i < kNumDtypes; ++i) {
    const DtypeInfo& info = dtype_info(static_cast<Dtype>(i));
    if (info.can_encode && info.gguf >= 0) out.push_back(info.name);
  }
  return out;
}

uint32_t gguf_file_type(Dtype mostly) {
  switch (mostly) {
    case Dtype::f16:
      return 1;
    case Dtype::q4_0:
      return 2;
    case Dtype::q4_1:
      return 3;
    case Dtype::q8_0:
      return 7;
    case Dtype::q5_0:
      return 8;
    case Dtype::q5_1:
      return 9;
    case Dtype::q2_k:
      return 10;
    case Dtype::q3_k:
      return 12;
    case Dtype::q4_k:
      return 15;
    case Dtype::q5_k:
      return 17;
    case Dtype::q6_k:
      return 18;
    case Dtype::iq2_xxs:
      return 19;
    case Dtype::iq2_xs:
      return 20;
    case Dtype::iq3_xxs:
      return 23;
    case Dtype::iq1_s:
      return 24;
    case Dtype::iq4_nl:
      return 25;
    case Dtype::iq3_s:
      return 26;
    case Dtype::iq2_s:
      return 28;
    case Dtype::iq4_xs:
      return 30;
    case Dtype::iq1_m:
      return 31;
    case Dtype::bf16:
      return 32;
    case Dtype::tq1_0:
      return 36;
    case Dtype::tq2_0:
      return 37;
    case Dtype::mxfp4:
      return 38;
    default:
      return 0;
  }
}

}  // namespace hearth
