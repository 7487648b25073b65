// precision: what becomes bf16, where casts are put, and what stays f32.
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/exec/devices.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/sample_runs.h"
#include "runtime/ops/slice_axis/slice_axis.h"
#include "runtime/plan/plan.h"

namespace hearth::precision_test {
namespace {

constexpr int kTokens = 5, kWidth = 12, kVocab = 9;
const TensorType kTable{Dtype::f32, {kVocab, kWidth}}, kWeight{Dtype::f32, {kWidth}}, kLoss{Dtype::f32, {1}},
    kMatrix{Dtype::f32, {kWidth, kWidth}};

Value rows_of(Builder& b) {
  return b.gather_rows(b.parameter("embed", kTable), b.input("ids", {Dtype::i32, {kTokens}}));
}

// rms_norm(embedding) doubled, in a product: float activations from the table to the output.
Graph doubled_norm() {
  Builder b;
  const Value normed = b.rms_norm(rows_of(b), b.parameter("norm", kWeight), 1e-5f);
  b.mark(kRows, normed);
  b.output(b.linear(b.add(normed, normed), b.parameter("w", kMatrix)));
  return *b.finish();
}

size_t n_casts(const Graph& graph) {
  return static_cast<size_t>(
      std::ranges::count_if(graph.nodes(), [](const Node& node) { return node.op->name() == "cast"; }));
}

TEST(Precision, FlowsFromTheTableToTheOutput) {
  const Graph graph = *precision(doubled_norm(), Dtype::bf16);
  ASSERT_EQ(n_casts(graph), 0u) << graph.to_string();
  for (size_t i = 0; i + 1 < graph.nodes().size(); ++i)
    EXPECT_EQ(graph.type(graph.nodes()[i].outputs[0]).dtype, Dtype::bf16) << graph.to_string();
  EXPECT_EQ(graph.type(graph.outputs()[0]), doubled_norm().type(doubled_norm().outputs()[0]));
  EXPECT_EQ(graph.type(graph.find("embed")), kTable);
  EXPECT_EQ(graph.type(graph.find("norm")), kWeight);
  ASSERT_EQ(graph.marked(kRows).size(), 1u);
  EXPECT_EQ(graph.type(graph.marked(kRows)[0]).dtype, Dtype::bf16);
}

TEST(Precision, F32IsTheGraphAsItIs) {
  EXPECT_EQ(precision(doubled_norm(), Dtype::f32)->to_string(), doubled_norm().to_string());
}

TEST(Precision, RefusesOtherDtypes) {
  for (Dtype dtype : {Dtype::f16, Dtype::q8_0, Dtype::i32})
    EXPECT_EQ(precision(doubled_norm(), dtype).error().code, Code::invalid_argument);
}

// Logits, bent, are read by nobody as bf16, nor is what a router chooses by: nothing on the way is rounded.
TEST(Precision, WhatF32AloneIsReadOfIsNotRounded) {
  Builder b;
  const Value rows = rows_of(b), product = b.linear(rows, b.parameter("w", kMatrix));
  b.output(b.scale(b.tanh(b.scale(product, 0.5f)), 30));
  b.output(b.apply_all(std::make_shared<Route>(Routing{.n_chosen = 2}, false),
                       {b.linear(rows, b.parameter("router", kMatrix))})[0]);
  const Graph graph = *precision(*b.finish(), Dtype::bf16);
  EXPECT_EQ(n_casts(graph), 0u) << graph.to_string();
  for (const Node& node : graph.nodes())
    EXPECT_EQ(graph.type(node.outputs[0]).dtype, node.op->name() == "gather_rows" ? Dtype::bf16 : Dtype::f32)
        << graph.to_string();
}

// A router reads f32 of what products read too: one cast for all that read the value so.
TEST(Precision, OneCastForAllThatReadF32) {
  Builder b;
  const Value rows = rows_of(b);
  b.output(b.linear(rows, b.parameter("w", kMatrix)));
  const Routing routing{.n_chosen = 2};
  for (int i = 0; i < 2; ++i) b.output(b.apply_all(std::make_shared<Route>(routing, false), {rows})[0]);
  const Graph graph = *precision(*b.finish(), Dtype::bf16);
  EXPECT_EQ(n_casts(graph), 1u) << graph.to_string();
}

TEST(Precision, ParametersInThePlaceOfActivationsAreCast) {
  Builder b;
  const Value sum = b.add(rows_of(b), b.parameter("positions", {Dtype::f32, {kTokens, kWidth}}));
  b.output(b.linear(sum, b.parameter("w", kMatrix)));
  const auto graph = precision(*b.finish(), Dtype::bf16);
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_EQ(n_casts(*graph), 1u) << graph->to_string();
}

// Of one product, what a recurrence's step size takes as f32 and what else is bf16: the slice is cast, not the product.
TEST(Precision, OfASliceTheSliceIsCast) {
  Builder b;
  const Value both = b.linear(rows_of(b), b.parameter("w", kMatrix));
  const auto slice = [&](int begin, int n) { return b.apply(std::make_shared<SliceAxis>(1, begin, n), {both}); };
  b.output(b.linear(slice(0, 8), b.parameter("out", {Dtype::f32, {4, 8}})));
  b.output(b.tanh(slice(8, 4)));
  const Graph graph = *precision(*b.finish(), Dtype::bf16);
  ASSERT_EQ(n_casts(graph), 1u) << graph.to_string();
  for (const Node& node : graph.nodes())
    if (node.op->name() == "cast") {
      EXPECT_EQ(graph.type(node.inputs[0]).shape, Shape({kTokens, 4}));
    }
}

// Rows are chosen before the last norm: what they are chosen of is computed as before.
TEST(Precision, ChosenRowsAreLikeTheOthers) {
  Builder b;
  const Value x = rows_of(b), sum = b.add(x, b.linear(x, b.parameter("w", kMatrix)));
  const Value chosen = b.gather_rows(sum, b.input("rows", {Dtype::i32, {2}}));
  b.output(b.linear(b.rms_norm(chosen, b.parameter("norm", kWeight), 1e-5f), b.parameter("head", kMatrix)));
  const Graph graph = *precision(*b.finish(), Dtype::bf16);
  EXPECT_EQ(n_casts(graph), 0u) << graph.to_string();
  for (size_t i = 0; i + 1 < graph.nodes().size(); ++i)
    EXPECT_EQ(graph.type(graph.nodes()[i].outputs[0]).dtype, Dtype::bf16) << graph.to_string();
}

struct Computed {
  Tensor y, dembed, dnorm;
};

Computed compute(Dtype activations) {
  Graph graph = *precision(doubled_norm(), activations);
  const Value y = graph.outputs()[0];
  graph.set_outputs({});
  Builder b = Builder::continuing(std::move(graph));
  const Value projection_of = b.input("projection", {Dtype::f32, {kTokens * kWidth, 1}});
  const Value row = b.split(b.merge(y, 0), 0, kTokens * kWidth);
  const Value sum = b.merge(b.matmul(row, projection_of, false, false), 0);
  b.output(y);
  const Graph forward = *b.finish();
  const Value wrt[] = {forward.find("embed"), forward.find("norm")};
  const Differentiated backward = *differentiate(forward, sum, wrt);
  const Tensor embed = random_tensor(kTable.shape, 1), norm = random_tensor(kWeight.shape, 2),
               w = random_tensor(kMatrix.shape, 4), projection = random_tensor({kTokens * kWidth, 1}, 3),
               ids = ids_tensor({3, 0, 8, 3, 1});
  Tensor dloss(kLoss);
  dloss.f32()[0] = 1;
  auto outputs = *interpret(backward.graph, {{"embed", embed.view()},
                                             {"norm", norm.view()},
                                             {"w", w.view()},
                                             {"projection", projection.view()},
                                             {"ids", ids.view()},
                                             {"dloss", dloss.view()}});
  return {std::move(outputs[0]), std::move(outputs[1]), std::move(outputs[2])};
}

TEST(Precision, GradientsOfParametersAreF32AndNear) {
  const Computed f32 = compute(Dtype::f32), bf16 = compute(Dtype::bf16);
  EXPECT_EQ(bf16.dembed.type(), kTable);
  EXPECT_EQ(bf16.dnorm.type(), kWeight);
  for (const auto& [got, expected] :
       {std::pair(&bf16.y, &f32.y), {&bf16.dembed, &f32.dembed}, {&bf16.dnorm, &f32.dnorm}}) {
    EXPECT_LE(relative_error(*got, *expected), 0.02);
    EXPECT_GT(relative_error(*got, *expected), 1e-4) << "nothing was rounded";
  }
}

TEST(Precision, ADeviceOfF32SaysSo) {
  const auto plan = make_plan(*precision(doubled_norm(), Dtype::bf16), *open_cpu(1));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::unimplemented);
  EXPECT_NE(plan.error().message.find("cpu computes with f32"), std::string::npos) << plan.error().message;
  EXPECT_FALSE(has_all_kernels(*precision(doubled_norm(), Dtype::bf16), *open_cpu(1)));
}

TEST(Precision, ADevicesNameSaysWhatItComputesWith) {
  EXPECT_EQ((*open_device("cpu", 1))->activations(), Dtype::f32);
  for (const char* name : {"emulated", "emulated:7", "emulated:f32", "emulated:7:f32"})
    EXPECT_EQ((*open_device(name, 1))->activations(), Dtype::f32) << name;
  for (const char* name : {"emulated:bf16", "emulated:7:bf16"}) {
    const auto device = *open_device(name, 1);
    EXPECT_EQ(device->activations(), Dtype::bf16) << name;
    EXPECT_EQ((*open_device(device->name(), 1))->name(), device->name());
  }
  for (const char* name : {"emulated:", "emulated:bf16:7", "emulated:7:f16", "emulated:7:bf16x", "emulated:100",
                           "cpu:bf16", "cuda:f16", "cuda::bf16"}) {
    EXPECT_EQ(open_device(name, 1).error().code, Code::invalid_argument) << name;
    EXPECT_EQ(check_device_name(name).error().code, Code::invalid_argument) << name;
  }
}

}  // namespace
}  // namespace hearth::precision_test
