// Runs a plan on the backend it was made for. Nothing is allocated or looked up in run().
//
//   Executor e = TRY(Executor::create(TRY(make_plan(graph, backend)), arena, bindings));
//   fill(e.input("tokens")); TRY(e.run()); read(e.output(0));
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/comm/communicator.h"
#include "runtime/memory/arena.h"
#include "runtime/memory/placed_tensor.h"
#include "runtime/plan/plan.h"

namespace hearth {

// Parameters and states by name, in the backend's memory (place_on() puts them there) but for what is fetched. It must
// outlive the executor.
using Bindings = std::map<std::string, TensorView, std::less<>>;

struct OpTiming {
  std::string op;
  double seconds = 0;
  int64_t n_calls = 0;
  double flops = 0, bytes = 0;
};

class Executor {
 public:
  // Executors that never run at the same time may share one arena; `plan` was made for its backend. Errors: a parameter
  // or state is unbound or has another type (invalid_argument); the arena cannot be made large enough
  // (resource_exhausted). Of the outputs the first n_host_outputs are read in place; the others stay where they are
  // until read_output() asks for them. A plan of a part (graph/shard.h) speaks with the other parts through `comms`;
  // one that it lacks is failed_precondition, and what the others did wrong is an error of run().
  static Result<Executor> create(Plan plan, Arena& arena, const Bindings& bindings, size_t n_host_outputs = SIZE_MAX,
                                 const Communicators& comms = {});
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;
  ~Executor();

  // Inputs and outputs are the host's: where the device has memory of its own, run() copies them. Both stay valid until
  // another executor on the same arena runs or is made.
  TensorView input(std::string_view name);  // to be filled before run(); CHECKs that it exists
  bool has_input(std::string_view name) const;
  TensorView output(size_t index) const;  // a null output is empty
  Result<HostView> read_output(size_t index) const;
  TensorView value(Value v) const;  // for tests: the device's memory, only sensible where liveness keeps it
  Result<void> run();
  const Plan& plan() const;
  Result<std::vector<OpTiming>> profile();  // runs once with a clock around each step, sums by op

 private:
  struct State;
  explicit Executor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The same tensors in the backend's memory: themselves where that is the host's, else copies that `keep` owns. What a
// plan fetches stays on the host, where the backend copies from it fast (Backend::allocate_on_host).
Result<Bindings> place_on(Backend& backend, const Bindings& host, std::vector<Buffer>& keep,
                          const std::set<std::string>& fetched = {});

}  // namespace hearth
