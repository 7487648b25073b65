// multiply() by cuBLASLt. Its workspace is allocated once; which algorithm a product takes is asked once.
#include "runtime/backend/blas.h"

#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <map>

#include "runtime/backend/cuda/queue.h"

namespace hearth::cuda {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what NVIDIA recommends for compute capability 9.0
constexpr uint32_t kMaxAlignment = 256;               // more than any algorithm asks for

Result<void> check(cublasStatus_t status, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  const Code code = status == CUBLAS_STATUS_ALLOC_FAILED ? Code::resource_exhausted : Code::internal;
  return error(code, "cuBLASLt: {} failed: {}", what, cublasLtGetStatusString(status));
}

cudaDataType_t type_of(Dtype dtype) {
  return dtype == Dtype::bf16 ? CUDA_R_16BF : dtype == Dtype::f16 ? CUDA_R_16F : CUDA_R_32F;
}

// Of an address, as far as it matters.
uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<uintptr_t>(data) | kMaxAlignment;
  return static_cast<uint32_t>(address & -address);
}

// All that the choice of an algorithm depends on.
using Key = std::array<int64_t, 20>;

Key key_of(const BlasProduct& p, const void* a, const void* b, const void* c) {
  Key key{p.trans_a, p.trans_b, p.beta != 0, p.batch};
  size_t i = 4;
  for (const auto& [matrix, data] : {std::pair{&p.a, a}, std::pair{&p.b, b}, std::pair{&p.c, c}}) {
    key[i++] = static_cast<int64_t>(matrix->dtype) << 32 | alignment_of(data);
    key[i++] = matrix->rows, key[i++] = matrix->cols, key[i++] = matrix->ld, key[i++] = matrix->batch_stride;
  }
  return key;
}

// cuBLASLt's words for a product.
struct Descriptors {
  cublasLtMatmulDescOpaque_t product{};
  cublasLtMatrixLayoutOpaque_t a{}, b{}, c{};
};

template <class Attribute, class T>
Result<void> set(cublasLtMatrixLayoutOpaque_t& layout, Attribute attribute, const T& value) {
  return check(cublasLtMatrixLayoutSetAttribute(&layout, attribute, &value, sizeof(value)), "describing a matrix");
}

Result<void> describe(const BlasMatrix& m, int batch, cublasLtMatrixLayoutOpaque_t& layout) {
  TRY(check(cublasLtMatrixLayoutInit(&layout, type_of(m.dtype), static_cast<uint64_t>(m.rows),
                                     static_cast<uint64_t>(m.cols), m.ld),
            "describing a matrix"));
  TRY(set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(batch)));
  return set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, m.batch_stride);
}

Result<void> describe(const BlasProduct& p, Descriptors& out) {
  TRY(check(cublasLtMatmulDescInit(&out.product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product"));
  for (const auto& [attribute, transposes] :
       {std::pair{CUBLASLT_MATMUL_DESC_TRANSA, p.trans_a}, std::pair{CUBLASLT_MATMUL_DESC_TRANSB, p.trans_b}}) {
    const cublasOperation_t op = transposes ? CUBLAS_OP_T : CUBLAS_OP_N;
    TRY(check(cublasLtMatmulDescSetAttribute(&out.product, attribute, &op, sizeof(op)), "describing a product"));
  }
  TRY(describe(p.a, p.batch, out.a));
  TRY(describe(p.b, p.batch, out.b));
  return describe(p.c, p.batch, out.c);
}

template <class T>
Result<void> set(cublasLtMatmulPreferenceOpaque_t& preference, cublasLtMatmulPreferenceAttributes_t attribute,
                 const T& value) {
  return check(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof(value)),
               "choosing an algorithm");
}

Result<cublasLtMatmulAlgo_t> choose(cublasLtHandle_t handle, Descriptors& d, const void* a, const void* b,
                                    const void* c) {
  cublasLtMatmulPreferenceOpaque_t wish{};
  TRY(check(cublasLtMatmulPreferenceInit(&wish), "choosing an algorithm"));
  TRY(set(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes));
  TRY(set(wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(a)));
  TRY(set(wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(b)));
  TRY(set(wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(c)));
  TRY(set(wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(c)));
  cublasLtMatmulHeuristicResult_t best{};
  int n = 0;
  TRY(check(cublasLtMatmulAlgoGetHeuristic(handle, &d.product, &d.a, &d.b, &d.c, &d.c, &wish, 1, &best, &n),
            "choosing an algorithm"));
  TRY(check(n > 0 ? best.state : CUBLAS_STATUS_NOT_SUPPORTED, "choosing an algorithm"));
  return best.algo;
}

}  // namespace

struct Blas {
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  std::map<Key, cublasLtMatmulAlgo_t> algorithms;
};

Result<OwnedBlas> open_blas() {
  OwnedBlas blas(new Blas, [](Blas* b) {
    if (b->handle != nullptr) cublasLtDestroy(b->handle);
    cudaFree(b->workspace);
    delete b;
  });
  TRY(check(cublasLtCreate(&blas->handle), "starting"));
  if (cudaMalloc(&blas->workspace, kWorkspaceBytes) != cudaSuccess) {
    cudaGetLastError();
    return error(Code::resource_exhausted, "CUDA: there is no device memory for cuBLASLt's {} bytes of workspace",
                 kWorkspaceBytes);
  }
  return blas;
}

namespace {

Result<void> try_to_multiply(const Queue& queue, const BlasProduct& p, const void* a, const void* b, void* c) {
  Blas& blas = *queue.blas;
  Descriptors d;
  TRY(describe(p, d));
  const Key key = key_of(p, a, b, c);
  auto chosen = blas.algorithms.find(key);
  if (chosen == blas.algorithms.end())
    chosen = blas.algorithms.emplace(key, TRY(choose(blas.handle, d, a, b, c))).first;
  const float one = 1;
  return check(cublasLtMatmul(blas.handle, &d.product, &one, a, &d.a, b, &d.b, &p.beta, c, &d.c, c, &d.c,
                              &chosen->second, blas.workspace, kWorkspaceBytes, queue.stream),
               "a product");
}

}  // namespace

void multiply(Queue* stream, const BlasProduct& product, const void* a, const void* b, void* c) {
  if (const Result<void> done = try_to_multiply(*stream, product, a, b, c); !done) stream->fail(done.error());
}

}  // namespace hearth::cuda
