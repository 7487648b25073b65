// sort_by_expert, CPU
// math:     a stable counting sort of the slots by expert
// shapes:   ids [T,k] i32, S = T·k, positions [T] i32 or none; token_of_row, expert_of_row [S], expert_begin [E+1],
//           row_of_slot [T,k], all i32
// traffic:  S·20 B
// mapping:  one thread: two passes over S integers cost less than sharing them out
// needs:    nothing
// numerics: integers
#include "runtime/kernels/isa.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_sort(const KernelArgs& args, const Worker& me) {
  if (me.rank != 0) return;
  const auto& op = static_cast<const SortByExpert&>(*args.op);
  const int32_t* ids = args.inputs[0].i32();
  const int64_t T = args.inputs[0].dim(0), k = args.inputs[0].dim(1);
  int32_t *token_of_row = args.outputs[0].i32(), *expert_of_row = args.outputs[1].i32(),
          *expert_begin = args.outputs[2].i32(), *row_of_slot = args.outputs[3].i32();
  const int32_t* positions = args.inputs.size() == 2 ? args.inputs[1].i32() : nullptr;
  auto expert_of = [&](int64_t slot) {
    if (positions != nullptr && positions[slot / k] < 0) return op.n_experts;
    const int32_t id = ids[slot];
    return id < 0 || id >= op.n_experts ? op.n_experts - 1 : id;
  };
  int32_t next[kMaxExperts + 1] = {};  // the last: padding
  for (int64_t slot = 0; slot < T * k; ++slot) ++next[expert_of(slot)];
  int32_t row = 0;
  for (int e = 0; e <= op.n_experts; ++e) {
    const int32_t count = next[e];
    expert_begin[e] = next[e] = row;
    row += count;
  }
  for (int64_t t = 0, slot = 0; t < T; ++t)
    for (int64_t j = 0; j < k; ++j, ++slot) {
      const int32_t e = expert_of(slot), to = next[e]++;
      token_of_row[to] = static_cast<int32_t>(t);
      expert_of_row[to] = e < op.n_experts ? e : op.n_experts - 1;
      row_of_slot[slot] = to;
    }
}

}  // namespace

template <>
Kernel kernel_for(const SortByExpert&, Types) {
  return {run_sort};
}

}  // namespace hearth::HEARTH_ISA
