// The tensor types of GGUF: number, name, elements and bytes of a block, and our dtype where this build has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/tensor/dtype.h"

namespace hearth {

struct GgufTensorType {
  uint32_t id;
  std::string_view name;
  uint32_t block_elements;
  uint32_t block_bytes;
  std::optional<Dtype> dtype;
};

const GgufTensorType* find_gguf_tensor_type(uint32_t id);  // nullptr: not known
const GgufTensorType* find_gguf_tensor_type(Dtype dtype);

}  // namespace hearth
