// Weights in another dtype, converted by rows on all cores into a buffer that the next tensor reuses.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "runtime/tensor/tensor.h"

namespace hearth {

class Converter {
 public:
  // The bytes of `view` in `dtype`: its own bytes where they are that already, else valid until the next call.
  std::span<const std::byte> convert(const TensorView& view, Dtype dtype);

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace hearth
