// Parts as threads.
#include "runtime/exec/run_parts.h"

#include <cstring>
#include <optional>
#include <thread>

#include "base/check.h"
#include "runtime/backend/cpu/cpu_backend.h"
#include "runtime/comm/in_process.h"
#include "runtime/exec/devices.h"

namespace hearth {
namespace {

Result<std::vector<Tensor>> run_part(const Graph& graph, const Propagation& propagation, const Bindings& leaves,
                                     Communicator& comm) {
  const std::unique_ptr<CpuBackend> device = open_cpu(1);
  Arena arena(*device);
  Plan plan = TRY(make_plan(TRY(shard(graph, propagation, comm.rank())), *device));
  Executor executor = TRY(Executor::create(std::move(plan), arena, leaves, SIZE_MAX, {{propagation.mesh.name, &comm}}));
  for (const ValueInfo& info : executor.plan().graph.values()) {
    if (info.kind != ValueKind::input) continue;
    const auto given = leaves.find(info.name);
    if (given == leaves.end() || !(given->second.type == info.type))
      return error(Code::invalid_argument, "part {} needs the input \"{}\" as {}", comm.rank(), info.name,
                   info.type.to_string());
    std::memcpy(executor.input(info.name).data, given->second.data, static_cast<size_t>(info.type.bytes()));
  }
  TRY(executor.run());
  std::vector<Tensor> out;
  for (size_t i = 0; i < executor.plan().graph.outputs().size(); ++i) {
    const TensorView view = executor.output(i);
    out.push_back(view.data == nullptr ? Tensor() : Tensor(view.type));
    if (view.data != nullptr) std::memcpy(out.back().view().data, view.data, static_cast<size_t>(view.type.bytes()));
  }
  return out;
}

}  // namespace

Result<std::vector<std::vector<Tensor>>> run_parts(const Graph& graph, const Propagation& propagation,
                                                   const std::vector<Bindings>& leaves) {
  const int n = propagation.mesh.n;
  CHECK(leaves.size() == static_cast<size_t>(n));
  InProcessGroup group(n);
  std::vector<std::optional<Result<std::vector<Tensor>>>> results(static_cast<size_t>(n));
  auto run = [&](int part) {
    const auto i = static_cast<size_t>(part);
    results[i] = run_part(graph, propagation, leaves[i], group.communicator(part));
    if (!*results[i]) group.leave(results[i]->error());
  };
  {
    std::vector<std::jthread> threads;
    for (int part = 1; part < n; ++part) threads.emplace_back(run, part);
    run(0);
  }
  TRY(group.communicator(0).status());
  std::vector<std::vector<Tensor>> out;
  for (auto& result : results) out.push_back(TRY(std::move(*result)));
  return out;
}

}  // namespace hearth
