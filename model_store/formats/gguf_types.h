// The tensor types of GGUF: those that are dtypes of ours (the dtype table has their numbers), and those that are not.
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
  std::optional<Dtype> dtype;  // absent: this build cannot compute with it
};

const GgufTensorType* find_gguf_tensor_type(uint32_t id);  // nullptr: not known

}  // namespace hearth
