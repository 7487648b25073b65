// loss: sums of terms over the logits; select_rows: which rows go on.
#include <gtest/gtest.h>

#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth::loss_test {
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
  Tensor targets = ids_tensor({3, -1, 19, 0}), chosen = ids_tensor({3, 1}), dloss = Tensor({Dtype::f32, {1}});
  Values() { *dloss.f32() = 1; }
  std::vector<Tensor> operator()(const Graph& graph) {
    auto out = interpret(graph, {{"x", x.view()},
                                 {"lm_head", lm_head.view()},
                                 {"loss_weights", weights.view()},
                                 {"targets", targets.view()},
                                 {"chosen", chosen.view()},
                                 {"dloss", dloss.view()}});
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
  EXPECT_EQ(graph.nodes().back().op->name(), "linear_cross_entropy") << "one term of weight 1 is the loss itself";
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
  const LossTerm broken[] = {{[](Builder& b, const Logits& logits) {
    return b.add(logits.value, b.input("o", {Dtype::f32, {3, 3}}));
  }}};
  EXPECT_FALSE(loss(two_layers(), broken)) << "a term's mistake is an error, not a graph";
  const LossTerm wide[] = {{[](Builder& b, const Logits& logits) { return b.silu(logits.value); }}};
  EXPECT_FALSE(loss(two_layers(), wide)) << "a loss is one number";
}

// Logits as models make them: of a product, scaled, or capped; and of more than a product.
Graph with_head(const std::string& kind) {
  Builder b;
  const Value x = b.silu(b.input("x", {Dtype::f32, {4, 8}}));
  Value y = b.linear(x, b.parameter("lm_head", {Dtype::f32, {20, 8}}));
  if (kind == "scaled") y = b.scale(y, 0.3f);
  if (kind == "capped") y = b.scale(b.tanh(y), 2);
  if (kind == "scaled and capped") y = b.scale(b.tanh(b.scale(y, 0.7f)), 2);
  if (kind == "added") y = b.add(y, b.scale(y, 0.5f));
  if (kind == "tanh alone") y = b.tanh(y);
  b.output(y);
  return *b.finish();
}

// The same loss on the whole logits.
LossTerm whole_cross_entropy() {
  return {[](Builder& b, Logits logits) {
    logits.x = logits.w = {};
    return cross_entropy().build(b, logits);
  }};
}

bool has_logits(const Graph& graph) {
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::computed && info.type.shape == Shape{4, 20}) return true;
  return false;
}

TEST(Loss, MakesNoLogitsWhereTheyAreOneProduct) {
  const LossTerm chunked[] = {cross_entropy()}, whole[] = {whole_cross_entropy()};
  for (const std::string kind : {"plain", "scaled", "capped", "scaled and capped", "added", "tanh alone"}) {
    SCOPED_TRACE(kind);
    const bool is_product = kind != "added" && kind != "tanh alone";
    Values values;
    std::vector<Tensor> results[2];
    for (int i = 0; i < 2; ++i) {
      const Graph graph = *loss(with_head(kind), i == 0 ? chunked : whole);
      const Value wrt[] = {graph.find("x"), graph.find("lm_head")};
      const Graph differentiated = *prune(differentiate(graph, graph.outputs()[0], wrt)->graph);
      EXPECT_EQ(has_logits(graph), i == 1 || !is_product);
      EXPECT_EQ(has_logits(differentiated), i == 1 || !is_product);
      for (const Node& node : differentiated.nodes())
        EXPECT_NE(node.op->name(), "linear_cross_entropy") << "backward tells the loss";
      results[i] = values(differentiated);
    }
    for (size_t k = 0; k < 3; ++k)
      for (int64_t j = 0; j < results[0][k].type().shape.n_elements(); ++j)
        ASSERT_NEAR(results[0][k].f32()[j], results[1][k].f32()[j], 2e-6) << "output " << k << " element " << j;
  }
}

TEST(Loss, ASumReadsItsTerms) {
  LossTerm half = cross_entropy();
  half.weight = 0.5f;
  const LossTerm both[] = {cross_entropy(), half};
  const Graph graph = *loss(two_layers(), both);
  const Value wrt[] = {graph.find("lm_head")};
  Values values;
  const float expected = values(graph)[0].f32()[0];
  const Graph differentiated = *prune(differentiate(graph, graph.outputs()[0], wrt)->graph);
  EXPECT_EQ(values(differentiated)[0].f32()[0], expected);
}

TEST(Prune, KeepsWhatIsRead) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {4, 8}});
  b.silu(b.silu(x));  // nobody reads it
  const Value y = b.tanh(x);
  b.mark("dead", b.silu(y));
  b.output(y);
  const Graph pruned = *prune(*b.finish());
  ASSERT_EQ(pruned.nodes().size(), 1u);
  EXPECT_EQ(pruned.nodes()[0].op->name(), "tanh");
  EXPECT_TRUE(pruned.marked("dead").empty());
  EXPECT_TRUE(pruned.find("x"));
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
}  // namespace hearth::loss_test
