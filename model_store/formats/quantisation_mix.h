// Which dtype each weight of a GGUF file gets when one is asked for: some weights lose more than others.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/architectures/architecture.h"

namespace hearth {

// `row`: elements of a stored row. `stored`: what the weight is now. No `wanted`: it is kept, if GGUF can hold it (else
// f32, which loses nothing).
//   norms, biases and the like  f32
//   embedding and output layer  q6_k where most are K or IQ types of fewer bits
//   rows that are not blocks    of 256: a type with blocks of 32 and no fewer bits; of 32: f16
Dtype dtype_in_gguf(const ParameterSpec& spec, int64_t row, std::optional<Dtype> wanted, Dtype stored);

// general.file_type for a file whose weights are mostly of this dtype.
uint32_t gguf_file_type(Dtype mostly);

}  // namespace hearth
