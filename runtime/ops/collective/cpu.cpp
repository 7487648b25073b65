// all_reduce, all_gather, reduce_scatter, all_to_all, CPU: the first thread of the team speaks with the other parts.
// Where they cannot be reached the output is NaN, and whoever runs the graph asks the communicator why.
#include "runtime/ops/collective/collective.h"

#include <cstring>

#include "runtime/kernels/isa.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  if (me.rank != 0) return;
  const auto& op = static_cast<const Collective&>(*args.op);
  const TensorView& out = args.outputs[0];
  if (op.n == 1) return op.reference(args.inputs, args.outputs);
  if (args.comm == nullptr || !op.run(*args.comm, args.inputs[0], out, args.scratch))
    memset(out.data, 0xff, static_cast<size_t>(out.type.bytes()));
}

Kernel kernel_of(const Collective& op, Types inputs) {
  return {run, op.n == 1 ? 0 : op.scratch_bytes(inputs)};
}

}  // namespace

template <>
Kernel kernel_for(const AllReduce& op, Types inputs) {
  return kernel_of(op, inputs);
}
template <>
Kernel kernel_for(const AllGather& op, Types inputs) {
  return kernel_of(op, inputs);
}
template <>
Kernel kernel_for(const ReduceScatter& op, Types inputs) {
  return kernel_of(op, inputs);
}
template <>
Kernel kernel_for(const AllToAll& op, Types inputs) {
  return kernel_of(op, inputs);
}

}  // namespace hearth::HEARTH_ISA
