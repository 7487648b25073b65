// gather_rows: embedding look-up, and its backward, a scatter-add.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// table [V, C] of any weight dtype, ids [T] i32 → y [T, C], f32 or bf16, with y[t] = table[ids[t] - row_begin]; a row
// outside the table is zero, so that a shard of the vocabulary (row_begin > 0) adds up with the others.
class GatherRows final : public Op {
 public:
  explicit GatherRows(int64_t row_begin, Dtype to = Dtype::f32) : row_begin(row_begin), to(to) {}
  HEARTH_OP_RULES;
  const int64_t row_begin;
  const Dtype to;
};

// (ids [T] i32, dy [T, C]) → dtable [n_rows, C] f32: row ids[t] - row_begin gets dy[t] added, in the order of t.
class ScatterAddRows final : public Op {
 public:
  ScatterAddRows(int64_t n_rows, int64_t row_begin) : n_rows(n_rows), row_begin(row_begin) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {1}; }
  const int64_t n_rows;
  const int64_t row_begin;
};

}  // namespace hearth
