// Descriptors of a product, as BLAS libraries take it.
#pragma once

#include "runtime/tensor/dtype.h"

namespace hearth {

// As it lies in memory, column-major: element (i, j) at data + i + j · ld, in elements.
struct BlasMatrix {
  Dtype dtype = Dtype::f32;  // or bf16, f16
  int64_t rows = 0, cols = 0, ld = 0;
  int64_t batch_stride = 0;  // from one matrix of a batch to the next
};

// c = op(a) · op(b) + beta · c for each of a batch, accumulated in f32 (f32 matrices without TF32); op transposes or
// not. a and b have one dtype; c has it too, or is f32. c is not read where beta is 0. Nothing is empty.
struct BlasProduct {
  bool trans_a = false, trans_b = false;
  BlasMatrix a, b, c;
  float beta = 0;
  int batch = 1;
};

}  // namespace hearth
