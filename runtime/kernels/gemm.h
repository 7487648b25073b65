// Dense matrix product for training and prefill: packed, blocked, SPMD.
#pragma once

#include "runtime/backend/worker.h"
#include "runtime/tensor/dtype.h"

namespace hearth::HEARTH_ISA {

// c [M, N] = op(a) · op(b). a is [M, K], or [K, M] if trans_a (f32 then); b is [K, N], or [N, K] if trans_b, of any
// weight dtype. All dense and row-major.
struct GemmArgs {
  int64_t M, N, K;
  const void* a;
  bool trans_a;
  Dtype b_dtype;
  const void* b;
  bool trans_b;
  float* c;
  Dtype a_dtype = Dtype::f32;  // or q8_0
  bool add = false;            // to what c holds
};

// Every thread of the team calls it; no barrier inside. Bits do not depend on the team's size.
void gemm(const GemmArgs& args, const Worker& me);

}  // namespace hearth::HEARTH_ISA
