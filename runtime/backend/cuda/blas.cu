// sgemm by cuBLAS.
#include "runtime/backend/blas.cuh"

#include <cublas_v2.h>

#include "base/check.h"

namespace hearth::HEARTH_GPU {
namespace {

// One handle a process: kernels are launched by one thread at a time.
cublasHandle_t blas_on(Stream stream) {
  static const cublasHandle_t handle = [] {
    cublasHandle_t created = nullptr;
    CHECK(cublasCreate(&created) == CUBLAS_STATUS_SUCCESS);
    return created;
  }();
  CHECK(cublasSetStream(handle, stream) == CUBLAS_STATUS_SUCCESS);
  return handle;
}

}  // namespace

void sgemm(Stream stream, const Sgemm& p) {
  auto op = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const float one = 1;
  CHECK(cublasSgemm(blas_on(stream), op(p.trans_a), op(p.trans_b), p.m, p.n, p.k, &one, p.a, p.lda, p.b, p.ldb, &p.beta,
                    p.c, p.ldc) == CUBLAS_STATUS_SUCCESS);
}

}  // namespace hearth::HEARTH_GPU
