// The one BLAS routine that kernels call, at the level of its arguments: cuBLAS behind it on a GPU, loops in the
// emulator, which refuse what cuBLAS refuses (backend/cuda/blas.cu, backend/emulated/blas.cpp).
#pragma once

#include "runtime/backend/cuda_language.cuh"

namespace hearth::HEARTH_GPU {

// c [m,n] = op(a) [m,k] · op(b) [k,n] + beta · c, fp32 without TF32. Matrices are column-major: column j of c begins at
// c + j · ldc. op transposes or not: a is [m,k] or [k,m], b [k,n] or [n,k]. c is not read where beta is 0.
struct Sgemm {
  int m = 0, n = 0, k = 0;
  bool trans_a = false;
  const float* a = nullptr;
  int lda = 0;
  bool trans_b = false;
  const float* b = nullptr;
  int ldb = 0;
  float beta = 0;
  float* c = nullptr;
  int ldc = 0;
};

// What is refused stays with the stream, as with launches.
void sgemm(Stream stream, const Sgemm& product);

}  // namespace hearth::HEARTH_GPU
