// The executor against the interpreter, on a forward and backward graph, and its refusals.
#include "runtime/exec/executor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "hwdetect/cpu_features.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

constexpr int64_t T = 67, C = 96, F = 160;  // enough work for a team

Tensor wavy(TensorType type, float phase) {
  Tensor t(type);
  for (int64_t i = 0; i < type.shape.n_elements(); ++i)
    t.f32()[i] = 0.3f * std::sin(phase + 1.7f * static_cast<float>(i));
  return t;
}

struct Case {
  Graph graph;
  std::map<std::string, Tensor> tensors;
  Bindings bindings() const {
    Bindings out;
    for (const auto& [name, tensor] : tensors) out[name] = tensor.view();
    return out;
  }
};

// A feed-forward block with a norm, its sum as the loss, and the gradients of its weights.
Case feed_forward() {
  Case c;
  Builder b;
  auto leaf = [&](bool is_input, const std::string& name, const TensorType& type) {
    c.tensors[name] = wavy(type, static_cast<float>(c.tensors.size()));
    return is_input ? b.input(name, type) : b.parameter(name, type);
  };
  const Value x = leaf(true, "x", {Dtype::f32, {T, C}});
  const Value norm = leaf(false, "norm", {Dtype::f32, {C}});
  const Value gate = leaf(false, "gate", {Dtype::f32, {F, C}});
  const Value up = leaf(false, "up", {Dtype::f32, {F, C}});
  const Value down = leaf(false, "down", {Dtype::f32, {C, F}});
  const Value ones = leaf(true, "ones", {Dtype::f32, {T * C, 1}});
  const Value n = b.rms_norm(x, norm, 1e-5f);
  const Value y = b.add(x, b.linear(b.swiglu(b.linear(n, gate), b.linear(n, up)), down));
  const Value loss = b.reshape(b.matmul(b.reshape(y, {1, T * C}), ones, false, false), {1});
  b.output(y);
  b.output(loss);
  const Value wrt[] = {norm, gate, up, down, x};
  auto differentiated = differentiate(*b.finish(), loss, wrt);
  EXPECT_TRUE(differentiated);
  c.graph = std::move(differentiated->graph);
  // The backward graph may ask for a seed gradient.
  for (const ValueInfo& info : c.graph.values())
    if (info.kind == ValueKind::input && !c.tensors.contains(info.name)) {
      Tensor seed(info.type);
      for (int64_t i = 0; i < info.type.shape.n_elements(); ++i) seed.f32()[i] = 1;
      c.tensors[info.name] = std::move(seed);
    }
  return c;
}

void fill_inputs(Executor& executor, const Case& c) {
  for (const auto& [name, tensor] : c.tensors)
    if (executor.has_input(name))
      std::memcpy(executor.input(name).data, tensor.view().data, static_cast<size_t>(tensor.type().bytes()));
}

std::vector<Tensor> outputs_of(const Executor& executor) {
  std::vector<Tensor> out;
  for (size_t i = 0; i < executor.plan().graph.outputs().size(); ++i) {
    Tensor copy(executor.output(i).type);
    std::memcpy(copy.view().data, executor.output(i).data, static_cast<size_t>(copy.type().bytes()));
    out.push_back(std::move(copy));
  }
  return out;
}

std::vector<Tensor> execute(const Case& c, const CpuFeatures& features, int n_threads, int n_runs) {
  Team team(n_threads);
  auto plan = make_plan(c.graph, features);
  EXPECT_TRUE(plan);
  auto arena = Arena::reserve(plan->arena_bytes);
  EXPECT_TRUE(arena);
  auto executor = Executor::create(std::move(*plan), team, *arena, c.bindings());
  EXPECT_TRUE(executor);
  for (int i = 0; i < n_runs; ++i) {
    fill_inputs(*executor, c);
    executor->run();
  }
  return outputs_of(*executor);
}

double relative_error(const Tensor& got, const Tensor& want) {
  double difference = 0, largest = 1e-30;
  for (int64_t i = 0; i < want.type().shape.n_elements(); ++i) {
    difference = std::max(difference, std::fabs(static_cast<double>(got.f32()[i]) - want.f32()[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(want.f32()[i])));
  }
  return difference / largest;
}

TEST(Executor, EqualsTheInterpreter) {
  const Case c = feed_forward();
  auto expected = interpret(c.graph, c.bindings());
  ASSERT_TRUE(expected) << expected.error().to_string();
  const auto got = execute(c, cpu_features(), 2, 2), portable = execute(c, CpuFeatures{}, 2, 1);
  ASSERT_EQ(got.size(), expected->size());
  // Wider than an op by itself: the gradients sum over tokens with cancellation.
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LT(relative_error(got[i], (*expected)[i]), 1e-4) << "output " << i;
    EXPECT_LT(relative_error(portable[i], (*expected)[i]), 1e-4) << "output " << i;
  }
}

TEST(Executor, SameBitsForAnyNumberOfThreads) {
  const Case c = feed_forward();
  const auto one = execute(c, cpu_features(), 1, 1);
  for (int n_threads : {2, 3, 5}) {
    const auto many = execute(c, cpu_features(), n_threads, 3);
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_EQ(std::memcmp(one[i].view().data, many[i].view().data, static_cast<size_t>(one[i].type().bytes())), 0)
          << n_threads << " threads, output " << i;
  }
}

TEST(Executor, ProfileCountsEveryStep) {
  const Case c = feed_forward();
  Team team(2);
  auto plan = make_plan(c.graph, cpu_features());
  auto arena = Arena::reserve(plan->arena_bytes);
  auto executor = Executor::create(std::move(*plan), team, *arena, c.bindings());
  ASSERT_TRUE(executor);
  fill_inputs(*executor, c);
  int64_t n_calls = 0;
  double flops = 0;
  for (const OpTiming& timing : executor->profile()) {
    n_calls += timing.n_calls;
    flops += timing.flops;
    EXPECT_GE(timing.seconds, 0);
  }
  EXPECT_EQ(n_calls, static_cast<int64_t>(executor->plan().steps.size()));
  EXPECT_DOUBLE_EQ(flops, executor->plan().cost.flops);
}

TEST(Executor, RefusesWrongBindings) {
  const Case c = feed_forward();
  Team team(1);
  auto arena = Arena::reserve(64 << 20);
  auto create = [&](const Bindings& bindings, Arena& in) {
    return Executor::create(*make_plan(c.graph, cpu_features()), team, in, bindings);
  };
  Bindings missing = c.bindings();
  missing.erase("gate");
  auto result = create(missing, *arena);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("\"gate\""), std::string::npos);

  Bindings wrong = c.bindings();
  wrong["gate"].type.dtype = Dtype::f16;
  result = create(wrong, *arena);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("must be f32[160, 96], got f16[160, 96]"), std::string::npos)
      << result.error().message;

  Builder b;
  b.output(b.silu(b.input("x", {Dtype::f32, {1024, 1024}})));
  auto small = Arena::reserve(1);
  result = Executor::create(*make_plan(*b.finish(), cpu_features()), team, *small, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace hearth
