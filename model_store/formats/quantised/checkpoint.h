// Checkpoints that another tool quantised: several stored tensors stand for one weight (packed integers, scales, zero
// points). This step turns them into weights of our dtypes, by their usual names, so that nothing after it knows how a
// file was packed. Exact: a dtype is chosen that holds the values of the method's own formula without rounding.
//
//   TensorFile weights = TRY(decode_quantised(stored, config["quantization_config"]));
//
//   method               what is read                                        becomes
//   fp8, fbgemm_fp8      e4m3 with a scale per block, row or tensor          f8x128
//   gptq                 2, 4 or 8 bits, any group, act order, both zeros    q4_0, q5_0, q8_0 (act order: f32)
//   awq                  4 bits, "gemm" packing                              q4_0, q5_0
//   compressed-tensors   pack-, int- and float-quantized                     q4_0, q5_0, q8_0, i8x128, f8x128
//   mxfp4                blocks and scales of gpt-oss                        mxfp4
//   bitsandbytes         nf4, with double quantisation or without            nf4
//
// Scales that are no halves, or groups that cut our blocks, need i8x128 or f32. Other variants are errors that say so.
#pragma once

#include "base/json.h"
#include "model_store/formats/tensor_file.h"

namespace hearth {

// `quantization_config`: that object of config.json. Weights are decoded when they are asked for
// (StoredTensor::decode); tensors that are no part of a quantised weight stay as they are.
Result<TensorFile> decode_quantised(const TensorFile& stored, const Json& quantization_config);

// The same for a Hugging Face folder whose config.json is `config`: its tensors, decoded where it says that they are
// quantised.
Result<TensorFile> open_hf_weights(const std::filesystem::path& folder, const Json& config);

}  // namespace hearth
