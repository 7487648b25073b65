// loss: sums of terms over the logits; select_rows: which rows go on.
#include <gtest/gtest.h>

#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Graph two_layers() {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {4, 8}});
  b.mark(kLayerInput, x);
  const Value rows = b.silu(x);
  b.mark(kRows, rows);
  b.output(b.linear(rows, b.parameter("lm_head", {Dtype::f32, {20, 8}})));
  return *b.finish();
}

struct Values {
  Tensor x = random_tensor({4, 8}, 1), lm_head = random_tensor({20, 8}, 2), weights = random_tensor({4}, 3);
  Tensor targets = ids_tensor({3, -1, 19, 0}), chosen = ids_tensor({3, 1});
  std::vector<Tensor> operator()(const Graph& graph) {
    auto out = interpret(graph, {{"x", x.view()},
                                 {"lm_head", lm_head.view()},
                                 {"loss_weights", weights.view()},
                                 {"targets", targets.view()},
                                 {"chosen", chosen.view()}});
    EXPECT_TRUE(out) << out.error().to_string();
    return std::move(*out);
  }
};

TEST(Loss, IsTheWeightedSumOfItsTerms) {
  Values run;
  const LossTerm one[] = {cross_entropy()};
  LossTerm half = cross_entropy();
  half.weight = 0.5f;
  const LossTerm both[] = {cross_entropy(), half};
  const Graph graph = *loss(two_layers(), one);
  EXPECT_EQ(graph.type(graph.outputs()[0]).to_string(), "f32[1]");
  EXPECT_EQ(graph.nodes().back().op->name(), "cross_entropy") << "one term of weight 1 is the loss itself";
  const float single = run(graph)[0].f32()[0];
  EXPECT_NE(single, 0);
  EXPECT_FLOAT_EQ(run(*loss(two_layers(), both))[0].f32()[0], 1.5f * single);
}

TEST(Loss, NeedsLogitsAndATerm) {
  const LossTerm terms[] = {cross_entropy()};
  EXPECT_FALSE(loss(two_layers(), {}));
  Graph two = two_layers();
  two.set_outputs({two.outputs()[0], two.outputs()[0]});
  EXPECT_FALSE(loss(two, terms));
  Graph none = two_layers();
  none.set_outputs({});
  EXPECT_FALSE(loss(none, terms));
  const LossTerm broken[] = {{[](Builder& b, Value logits) {
    return b.add(logits, b.input("o", {Dtype::f32, {3, 3}}));
  }}};
  EXPECT_FALSE(loss(two_layers(), broken)) << "a term's mistake is an error, not a graph";
  const LossTerm wide[] = {{[](Builder& b, Value logits) { return b.silu(logits); }}};
  EXPECT_FALSE(loss(two_layers(), wide)) << "a loss is one number";
}

TEST(SelectRows, OnlyTheChosenOnesGoOn) {
  Values run;
  const Graph graph = two_layers();
  const std::vector<Tensor> all = run(graph), some = run(*select_rows(graph, "chosen", 2));
  ASSERT_EQ(some[0].type().to_string(), "f32[2, 20]");
  for (int64_t v = 0; v < 20; ++v) {
    EXPECT_EQ(some[0].f32()[v], all[0].f32()[3 * 20 + v]);
    EXPECT_EQ(some[0].f32()[20 + v], all[0].f32()[20 + v]);
  }
}

TEST(SelectRows, NeedsOneMarkedValueAndARow) {
  Graph unmarked;
  EXPECT_FALSE(select_rows(unmarked, "chosen", 1));
  Graph twice = two_layers();
  twice.mark(kRows, twice.marked(kRows)[0]);
  EXPECT_FALSE(select_rows(twice, "chosen", 1));
  EXPECT_FALSE(select_rows(two_layers(), "chosen", 0));
  Graph leaf = unmarked;
  leaf.mark(kRows, leaf.add_leaf(ValueKind::input, "x", {Dtype::f32, {2, 2}}));
  EXPECT_FALSE(select_rows(leaf, "chosen", 1)) << "an input is not computed";
}

TEST(Marks, FollowTheirValuesThroughRewrites) {
  const LowRank updates[] = {{"lm_head", 2, 1}};
  const LossTerm terms[] = {cross_entropy()};
  const Graph graph = *loss(*adapters(*select_rows(two_layers(), "chosen", 4), updates), terms);
  ASSERT_EQ(graph.marked(kLayerInput).size(), 1u);
  EXPECT_EQ(graph.info(graph.marked(kLayerInput)[0]).name, "x");
  ASSERT_EQ(graph.marked(kRows).size(), 1u);
  const int node = graph.info(graph.marked(kRows)[0]).node;
  EXPECT_EQ(graph.nodes()[static_cast<size_t>(node)].op->name(), "gather_rows");
}

}  // namespace
}  // namespace hearth
