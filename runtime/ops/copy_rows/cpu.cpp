// copy_rows, CPU
// math:     state[to[i]] = state[from[i]], for i in order
// shapes:   state [N,...] f32, f16 or bf16, from and to [n] i32
// traffic:  n rows read and written: memory bound
// mapping:  every row's bytes split in cache lines, the same for all rows, so that each thread has its part in order
// needs:    nothing; what is no row of the state is passed over
// numerics: exact
#include "runtime/ops/copy_rows/copy_rows.h"

#include "runtime/kernels/isa.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const TensorView& state = args.inputs[0];
  const int64_t n_rows = state.dim(0), bytes = n_rows > 0 ? state.type.bytes() / n_rows : 0;
  const auto [begin, end] = me.share(bytes, 64);
  for (int64_t i = 0; i < args.inputs[1].dim(0) && begin < end; ++i) {
    const int64_t from = args.inputs[1].i32()[i], to = args.inputs[2].i32()[i];
    if (from < 0 || from >= n_rows || to < 0 || to >= n_rows || from == to) continue;
    auto* data = state.as<std::byte>() + begin;
    memcpy(data + to * bytes, data + from * bytes, static_cast<size_t>(end - begin));
  }
}

}  // namespace

template <>
Kernel kernel_for(const CopyRows&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
