// The optimizer's programs: AdamW by the formula in doubles, sums over micro-batches, steps that must not be taken, and
// versions of states that must not be read.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "hwdetect/cpu_features.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/accumulate/accumulate.h"
#include "runtime/ops/adamw/adamw.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/rules.h"

namespace hearth::optimize_test {
namespace {

constexpr int64_t kW = 1000, kB = 3;
const Optimizer kOptimizer{.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1, .max_norm = 0};

// What differentiate() leaves: a loss, and gradients of two parameters, here given as inputs.
struct Backward {
  Graph graph;
  std::vector<Gradient> gradients;
  Backward() {
    Builder b;
    b.output(b.input("loss", {Dtype::f32, {1}}));
    b.parameter("w", {Dtype::f32, {kW}});
    b.parameter("b", {Dtype::f32, {kB}});
    gradients = {{"w", b.input("dw", {Dtype::f32, {kW}}), true}, {"b", b.input("db", {Dtype::f32, {kB}}), false}};
    graph = *b.finish();
  }
};

// Plans of a program over one set of states, which are zero at first, but for the parameters.
class Program {
 public:
  explicit Program(const std::vector<Graph>& graphs) : device_(open_cpu(2)), arena_(*device_) {
    Bindings bindings;
    for (const Graph& graph : graphs)
      for (const ValueInfo& info : graph.values())
        if (info.kind == ValueKind::state || info.kind == ValueKind::parameter) {
          if (!states.contains(info.name))
            states[info.name] = info.name.size() == 1 ? random_tensor(info.type.shape, 5) : Tensor(info.type);
          bindings[info.name] = states[info.name].view();
        }
    for (const Graph& graph : graphs) {
      auto plan = make_plan(graph, *device_);
      EXPECT_TRUE(plan) << plan.error().to_string();
      executors.push_back(*Executor::create(std::move(*plan), arena_, bindings));
    }
  }
  void run(size_t plan, const std::map<std::string, std::vector<float>>& inputs) {
    for (const auto& [name, values] : inputs)
      std::copy(values.begin(), values.end(), executors[plan].input(name).f32());
    ASSERT_TRUE(executors[plan].run());
  }
  std::vector<float> state(const std::string& name) {
    const Tensor& t = states.at(name);
    return {t.f32(), t.f32() + t.type().shape.n_elements()};
  }
  std::map<std::string, Tensor> states;
  std::vector<Executor> executors;

 private:
  std::unique_ptr<CpuBackend> device_;
  Arena arena_;
};

std::vector<float> noise(int64_t n, uint32_t seed) {
  const Tensor t = random_tensor({n}, seed);
  return {t.f32(), t.f32() + n};
}

std::vector<float> rates(const Optimizer& optimizer, double learning_rate, int64_t step) {
  const Rates r = rates_of(optimizer, learning_rate, step);
  return {r.begin(), r.end()};
}

// The formula, in doubles.
struct Exact {
  std::vector<double> w, m, v;
  explicit Exact(const std::vector<float>& start) : w(start.begin(), start.end()), m(w.size()), v(w.size()) {}
  void step(const std::vector<double>& gradient, int64_t n, double decay) {
    for (size_t i = 0; i < w.size(); ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i];
      const double mean = m[i] / (1 - std::pow(0.9, n)), root = std::sqrt(v[i] / (1 - std::pow(0.95, n)));
      w[i] -= 1e-2 * (mean / (root + 1e-8) + decay * w[i]);
    }
  }
};

void expect_near(const std::vector<float>& got, const std::vector<double>& expected) {
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-5) << i;
}

TEST(Optimize, FollowsTheFormulaAndClips) {
  for (const double max_norm : {0.0, 2.0, 1e9}) {
    Optimizer optimizer = kOptimizer;
    optimizer.max_norm = max_norm;
    const Backward backward;
    Program program({*optimize(backward.graph, backward.gradients, optimizer)});
    Exact w(program.state("w")), b(program.state("b"));
    for (int64_t n = 1; n <= 5; ++n) {
      const std::vector<float> dw = noise(kW, 10 + static_cast<uint32_t>(n)), db = noise(kB, 20);
      program.run(0, {{"loss", {3}}, {"dw", dw}, {"db", db}, {"rates", rates(optimizer, 1e-2, n)}});
      double squares = 0;
      for (const auto* g : {&dw, &db})
        for (float x : *g) squares += static_cast<double>(x) * x;
      const double norm = std::sqrt(squares), scale = max_norm > 0 && norm > max_norm ? max_norm / norm : 1;
      EXPECT_EQ(*program.executors[0].output(0).f32(), 3);
      EXPECT_NEAR(*program.executors[0].output(1).f32(), norm, 1e-5 * norm);
      EXPECT_EQ(program.executors[0].output(2).f32()[7], dw[7]) << "gradients are put out as they came";
      std::vector<double> exact_w(dw.begin(), dw.end()), exact_b(db.begin(), db.end());
      for (auto* g : {&exact_w, &exact_b})
        for (double& x : *g) x *= scale;
      w.step(exact_w, n, 0.1), b.step(exact_b, n, 0);
    }
    expect_near(program.state("w"), w.w), expect_near(program.state("b"), b.w);
    expect_near(program.state("w.m"), w.m), expect_near(program.state("b.v"), b.v);
  }
}

TEST(Optimize, MicroBatchesAddUp) {
  const Backward backward;
  Program program({*accumulate_gradients(backward.graph, backward.gradients),
                   *optimize_accumulated(backward.graph, backward.gradients, kOptimizer)});
  Exact w(program.state("w")), b(program.state("b"));
  for (int64_t n = 1; n <= 2; ++n) {  // the second step begins from zero
    std::vector<double> dw(kW), db(kB);
    for (uint32_t micro = 0; micro < 3; ++micro) {
      const std::vector<float> part = noise(kW, 30 + micro), part_b = noise(kB, 40 + micro);
      program.run(0, {{"loss", {1}}, {"dw", part}, {"db", part_b}, {"keep", {micro == 0 ? 0.0f : 1.0f}}});
      for (size_t i = 0; i < dw.size(); ++i) dw[i] += part[i];
      for (size_t i = 0; i < db.size(); ++i) db[i] += part_b[i];
    }
    program.run(1, {{"rates", rates(kOptimizer, 1e-2, n)}});
    w.step(dw, n, 0.1), b.step(db, n, 0);
    EXPECT_EQ(program.state("loss.sum")[0], 3);
  }
  expect_near(program.state("w"), w.w), expect_near(program.state("b"), b.w);
}

TEST(Optimize, SkipsWhatIsNoNumber) {
  const Backward backward;
  for (const bool in_loss : {true, false})
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      Program whole({*optimize(backward.graph, backward.gradients, kOptimizer)});
      Program split({*accumulate_gradients(backward.graph, backward.gradients),
                     *optimize_accumulated(backward.graph, backward.gradients, kOptimizer)});
      std::vector<float> dw = noise(kW, 1);
      if (!in_loss) dw[500] = bad;
      const std::vector<float> loss{in_loss ? bad : 1.0f}, before = whole.state("w");
      whole.run(0, {{"loss", loss}, {"dw", dw}, {"db", noise(kB, 2)}, {"rates", rates(kOptimizer, 1e-2, 1)}});
      split.run(0, {{"loss", loss}, {"dw", dw}, {"db", noise(kB, 2)}, {"keep", {0}}});
      split.run(1, {{"rates", rates(kOptimizer, 1e-2, 1)}});
      for (Program* program : {&whole, &split}) {
        EXPECT_EQ(program->state("w"), before);
        EXPECT_EQ(program->state("w.m"), std::vector<float>(kW, 0.0f));
        EXPECT_EQ(program->state("b.v"), std::vector<float>(kB, 0.0f));
      }
      EXPECT_EQ(std::isfinite(*whole.executors[0].output(1).f32()), in_loss) << "the norm is told all the same";
    }
}

TEST(Optimize, WhatCannotBeTrainedIsNamed) {
  const Backward backward;
  auto refused = [&](std::vector<Gradient> gradients, const std::string& word, const Graph& graph) {
    auto result = optimize(graph, gradients, kOptimizer);
    ASSERT_FALSE(result) << word;
    EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
    EXPECT_FALSE(accumulate_gradients(graph, gradients));
  };
  refused({}, "nothing is trained", backward.graph);
  refused({{"unknown", backward.gradients[0].value}}, "\"unknown\"", backward.graph);
  refused({{"dw", backward.gradients[0].value}}, "\"dw\"", backward.graph);  // an input
  refused({{"w", {}}}, "no gradient", backward.graph);
  refused({{"b", backward.gradients[0].value}}, "f32[1000]", backward.graph);
  Graph no_loss = backward.graph;
  no_loss.set_outputs({});
  refused(backward.gradients, "loss", no_loss);
}

// A checkpoint goes on, bit for bit, on a machine with other instructions.
TEST(Optimize, SameBitsAtEveryInstructionSet) {
  const CpuFeatures here = cpu_features(), portable;
  const AdamW op({.weight_decay = 0.1f});
  Tensor tensors[] = {random_tensor({1003}, 1), random_tensor({1003}, 2, 0.1f), random_tensor({1003}, 3),
                      random_tensor({1003}, 4), Tensor({Dtype::f32, {1}}),      Tensor({Dtype::f32, {3}})};
  for (int64_t i = 0; i < 1003; ++i) tensors[2].f32()[i] = std::fabs(tensors[2].f32()[i]);
  *tensors[4].f32() = 0.7f;
  std::fill_n(tensors[5].f32(), 3, 0.3f);
  std::vector<TensorView> in;
  std::vector<TensorType> types;
  for (const Tensor& t : tensors) in.push_back(t.view()), types.push_back(t.type());
  std::vector<std::vector<float>> results;
  for (const CpuFeatures& features : {here, portable}) {
    Tensor w(types[0]), m(types[0]), v(types[0]);
    const TensorView out[] = {w.view(), m.view(), v.view()};
    cpu_kernels(features).find(op, types).run({&op, in, out, nullptr}, Worker{});
    for (const Tensor* t : {&w, &m, &v}) results.emplace_back(t->f32(), t->f32() + 1003);
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i], results[i + 3]) << i;
}

TEST(Versions, AreReadBeforeTheyAreWrittenOver) {
  const auto device = open_cpu(1);
  auto graph = [](bool is_late) {
    Builder b;
    const Value s = b.state("s", {Dtype::f32, {4}}, StateKind::per_parameter), x = b.input("x", {Dtype::f32, {4}});
    const Value early = is_late ? Value() : b.silu(b.split(s, 0, 2));
    const Value next = b.apply(std::make_shared<Accumulate>(), {s, x, b.input("keep", {Dtype::f32, {1}})});
    b.output(is_late ? b.silu(b.split(s, 0, 2)) : early);
    b.output(b.silu(next));
    return *b.finish();
  };
  auto good = make_plan(graph(false), *device);
  ASSERT_TRUE(good) << good.error().to_string();
  auto late = make_plan(graph(true), *device);
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().message.find("\"s\""), std::string::npos) << late.error().message;
}

TEST(Versions, AreOfStates) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {4}});
  b.output(b.apply(std::make_shared<Accumulate>(), {x, x, b.input("keep", {Dtype::f32, {1}})}));
  auto plan = make_plan(*b.finish(), *open_cpu(1));
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("no state"), std::string::npos) << plan.error().message;
}

}  // namespace
}  // namespace hearth::optimize_test
