// adapters: the update stands beside the product it belongs to, and nowhere else.
#include <gtest/gtest.h>

#include <map>

#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

// Tensors for all leaves of a graph, the same for the same name.
class Leaves {
 public:
  std::vector<Tensor> run(const Graph& graph) {
    std::map<std::string, TensorView, std::less<>> bindings;
    for (const ValueInfo& info : graph.values()) {
      if (info.kind == ValueKind::computed) continue;
      if (!tensors_.contains(info.name))
        tensors_[info.name] = info.type.dtype == Dtype::f32
                                  ? random_tensor(info.type.shape, static_cast<uint32_t>(tensors_.size()))
                                  : random_weights(info.type.dtype, info.type.shape, 7);
      bindings[info.name] = tensors_[info.name].view();
    }
    auto out = interpret(graph, bindings);
    EXPECT_TRUE(out) << out.error().to_string();
    return out ? std::move(*out) : std::vector<Tensor>();
  }

 private:
  std::map<std::string, Tensor> tensors_;
};

void expect_equal(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.type(), b.type());
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) ASSERT_EQ(a.f32()[i], b.f32()[i]) << "element " << i;
}

const TensorType kX{Dtype::f32, {3, 32}};

Graph two_products(Dtype dtype) {
  Builder b;
  b.set_scope("layers.0");
  const Value x = b.input("x", kX);
  const Value y = b.add(b.linear(x, b.parameter("wq", {dtype, {6, 32}})), b.parameter("wq_bias", {Dtype::f32, {6}}));
  b.output(b.silu(y));
  b.output(b.linear(x, b.parameter("wk", {dtype, {4, 32}})));
  return *b.finish();
}

TEST(Adapters, AddAScaledLowRankUpdateAfterTheBias) {
  for (Dtype dtype : {Dtype::f32, Dtype::q8_0}) {
    const LowRank updates[] = {{"wq", 2, 3}};
    auto adapted = adapters(two_products(dtype), updates);
    ASSERT_TRUE(adapted) << adapted.error().to_string();
    Builder b;  // by hand
    const Value x = b.input("x", kX);
    const Value y = b.add(b.linear(x, b.parameter("wq", {dtype, {6, 32}})), b.parameter("wq_bias", {Dtype::f32, {6}}));
    const Value a = b.parameter("wq.lora_a", {Dtype::f32, {2, 32}}),
                up = b.parameter("wq.lora_b", {Dtype::f32, {6, 2}});
    b.output(b.silu(b.add(y, b.scale(b.linear(b.linear(x, a), up), 3))));
    b.output(b.linear(x, b.parameter("wk", {dtype, {4, 32}})));
    Leaves leaves;
    const std::vector<Tensor> expected = leaves.run(*b.finish()), got = leaves.run(*adapted);
    for (size_t i = 0; i < 2; ++i) expect_equal(got[i], expected[i]);
    EXPECT_EQ(adapted->nodes()[2].scope, "layers.0");
  }
}

TEST(Adapters, NoneChangeNothing) {
  const Graph graph = two_products(Dtype::f32), same = *adapters(graph, {});
  EXPECT_EQ(same.nodes().size(), graph.nodes().size());
  EXPECT_EQ(same.values().size(), graph.values().size());
}

// A weight that two products read has one update, read twice; an addition that is no bias stays after it.
TEST(Adapters, FollowAParameterToEachOfItsProducts) {
  auto build = [](bool by_hand) {
    Builder b;
    const Value x = b.input("x", kX), w = b.parameter("w", {Dtype::f32, {32, 32}});
    const Value a = by_hand ? b.parameter("w.lora_a", {Dtype::f32, {1, 32}}) : Value(),
                up = by_hand ? b.parameter("w.lora_b", {Dtype::f32, {32, 1}}) : Value();
    auto linear = [&](Value in) {
      const Value y = b.linear(in, w);
      return by_hand ? b.add(y, b.scale(b.linear(b.linear(in, a), up), 0.5f)) : y;
    };
    b.output(linear(b.add(linear(x), x)));
    return *b.finish();
  };
  const LowRank updates[] = {{"w", 1, 0.5f}};
  auto adapted = adapters(build(false), updates);
  ASSERT_TRUE(adapted) << adapted.error().to_string();
  Leaves leaves;
  const std::vector<Tensor> expected = leaves.run(build(true)), got = leaves.run(*adapted);
  expect_equal(got[0], expected[0]);
}

TEST(Adapters, WhatCannotBeUpdatedIsNamed) {
  const Graph graph = two_products(Dtype::f32);
  const LowRank unknown[] = {{"wq", 2, 1}, {"wv", 2, 1}}, empty[] = {{"wq", 0, 1}}, bias[] = {{"wq_bias", 1, 1}};
  for (const auto& [updates, word] :
       {std::pair<std::span<const LowRank>, const char*>{unknown, "\"wv\""}, {empty, "rank"}, {bias, "wq_bias"}}) {
    auto refused = adapters(graph, updates);
    ASSERT_FALSE(refused) << word;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_NE(refused.error().message.find(word), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace hearth
