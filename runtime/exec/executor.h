// Runs a plan on a team: resolved calls in order, a barrier between them. Nothing is allocated or looked up in run().
//
//   Executor e = TRY(Executor::create(TRY(make_plan(graph, cpu_features())), team, arena, bindings));
//   fill(e.input("tokens")); e.run(); read(e.output(0));
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/exec/team.h"
#include "runtime/memory/arena.h"
#include "runtime/plan/plan.h"

namespace hearth {

// Parameters and states by name. The memory must outlive the executor.
using Bindings = std::map<std::string, TensorView, std::less<>>;

struct OpTiming {
  std::string op;
  double seconds = 0;
  int64_t n_calls = 0;
  double flops = 0, bytes = 0;
};

class Executor {
 public:
  // Executors that never run at the same time may share one arena and team. Errors: a parameter or state is unbound or
  // has another type; the arena is too small (resource_exhausted, names both sizes).
  static Result<Executor> create(Plan plan, Team& team, Arena& arena, const Bindings& bindings);
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;
  ~Executor();

  TensorView input(std::string_view name) const;  // to be filled before run(); CHECKs that it exists
  bool has_input(std::string_view name) const;
  TensorView output(
      size_t index) const;  // valid until the next run of any executor on the same arena; a null output is empty
  TensorView value(Value v) const;  // for tests: only sensible where liveness keeps it
  void run();
  const Plan& plan() const;
  std::vector<OpTiming> profile();  // runs once with a clock around each step, sums by op

 private:
  struct State;
  explicit Executor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hearth
