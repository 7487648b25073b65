// layouts: which parameters change, and that results are those of the rows.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "hwdetect/cpu_features.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/rules.h"
#include "runtime/tensor/panels.h"

namespace hearth::layouts_test {
namespace {

// What the products of this machine want.
Layout panels_here() {
  const Isa isa = best_isa(cpu_features());
  return isa == Isa::avx512 ? Layout::panels_of_16 : isa == Isa::avx2 ? Layout::panels_of_8 : Layout::row_major;
}

// Two products read "both", one product and a gather read "tied", one product "own" and "fine"; experts of whole
// panels, and of cut ones.
Graph readers() {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {5, 256}}), ids = b.input("ids", {Dtype::i32, {5}});
  const Value begin = b.input("begin", {Dtype::i32, {3}});
  const Value both = b.parameter("both", {Dtype::q4_0, {37, 256}}),
              tied = b.parameter("tied", {Dtype::q6_k, {37, 256}});
  const Value own = b.parameter("own", {Dtype::q4_k, {37, 256}}), fine = b.parameter("fine", {Dtype::q8_0, {37, 256}});
  b.parameter("unread", {Dtype::q4_0, {37, 256}});
  for (Value w : {both, both, tied, own, fine}) b.output(b.linear(x, w));
  b.output(b.gather_rows(tied, ids));
  for (auto [name, n] : {std::pair{"experts", 32}, {"cut_experts", 36}}) {
    const Value w = b.parameter(name, {Dtype::q4_0, {2, n, 256}});
    b.output(b.apply(std::make_shared<GroupedMatmul>(true, 0), {x, w, begin}));
  }
  return *b.finish();
}

Graph laid_out(const Graph& graph) {
  return layouts(*quantise_activations(graph), cpu_kernels(cpu_features()));
}

TEST(Layouts, ChangeWhatEveryReaderWantsSo) {
  const Graph graph = laid_out(readers());
  for (const char* name : {"both", "own", "experts"})
    EXPECT_EQ(graph.type(graph.find(name)).layout, panels_here()) << name;
  for (const char* name : {"tied", "fine", "cut_experts", "unread", "x"})
    EXPECT_EQ(graph.type(graph.find(name)).layout, Layout::row_major) << name;
  EXPECT_EQ(laid_out(graph).to_string(), graph.to_string()) << "a second time changes nothing";
}

TEST(Layouts, AreForRoundedActivationsOnly) {
  const Graph graph = layouts(readers(), cpu_kernels(cpu_features()));
  for (const ValueInfo& info : graph.values()) EXPECT_EQ(info.type.layout, Layout::row_major) << info.name;
}

TEST(Layouts, ABackendWithoutKernelsForThemWantsNone) {
  const Graph graph = layouts(*quantise_activations(readers()), cpu_kernels({}));
  for (const ValueInfo& info : graph.values()) EXPECT_EQ(info.type.layout, Layout::row_major) << info.name;
}

TEST(Layouts, WhatReadsRowsRefusesPanels) {
  Builder b;
  const Value table = b.parameter("table", {Dtype::q4_0, {37, 256}, Layout::panels_of_8});
  b.output(b.gather_rows(table, b.input("ids", {Dtype::i32, {5}})));
  const auto gathered = b.finish();
  ASSERT_FALSE(gathered);
  EXPECT_NE(gathered.error().message.find("row-major, got q4_0[37, 256] in panels of 8"), std::string::npos)
      << gathered.error().to_string();
}

struct Bound {
  std::vector<Tensor> tensors;
  Bindings bindings;
};
// The same values however the graph wants them to lie.
Bound bound(const Graph& graph) {
  Bound out;
  uint32_t seed = 1;
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::parameter) continue;
    Tensor w = random_weights(info.type.dtype, info.type.shape, seed++);
    if (info.type.layout != Layout::row_major) {
      Tensor panels(info.type);
      pack_panels(w.view(), panels.view(), 0, n_panels(info.type));
      w = std::move(panels);
    }
    out.bindings[info.name] = w.view();
    out.tensors.push_back(std::move(w));
  }
  return out;
}

std::vector<Tensor> run(const Graph& graph, const Bindings& bindings) {
  const auto host = open_cpu(2);
  Arena arena(*host);
  auto executor = *Executor::create(*make_plan(graph, *host), arena, bindings);
  const Tensor x = random_tensor({5, 256}, 99);
  std::memcpy(executor.input("x").data, x.view().data, static_cast<size_t>(x.type().bytes()));
  for (int i = 0; i < 5; ++i) executor.input("ids").i32()[i] = i * 7;
  for (int i = 0; i < 3; ++i) executor.input("begin").i32()[i] = std::array{0, 2, 5}[static_cast<size_t>(i)];
  EXPECT_TRUE(executor.run());
  std::vector<Tensor> out;
  for (size_t i = 0; i < graph.outputs().size(); ++i) out.push_back(to_f32(executor.output(i)));
  return out;
}

TEST(Layouts, ResultsAreThoseOfTheRows) {
  const Graph rows = *quantise_activations(readers()), panels = laid_out(readers());
  const Bound of_rows = bound(rows), of_panels = bound(panels);
  const std::vector<Tensor> expected = run(rows, of_rows.bindings), got = run(panels, of_panels.bindings);
  for (size_t i = 0; i < expected.size(); ++i)
    for (int64_t j = 0; j < expected[i].type().shape.n_elements(); ++j)
      ASSERT_NEAR(got[i].f32()[j], expected[i].f32()[j], 1e-4) << "output " << i << " element " << j;
}

TEST(Layouts, RowsAreNotBoundInTheirPlace) {
  if (panels_here() == Layout::row_major) GTEST_SKIP() << "no panels on this machine";
  const Bound rows = bound(*quantise_activations(readers()));
  const auto host = open_cpu(1);
  Arena arena(*host);
  const auto executor = Executor::create(*make_plan(laid_out(readers()), *host), arena, rows.bindings);
  ASSERT_FALSE(executor);
  EXPECT_NE(executor.error().message.find("in panels of"), std::string::npos) << executor.error().to_string();
}

}  // namespace
}  // namespace hearth::layouts_test
