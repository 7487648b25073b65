// Every op x every alternative of its rule x 2, 3 and 4 parts, end to end: each part's graph runs as a thread and
// speaks through the in-process communicator, and what comes together equals the whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "base/sanitizers.h"
#include "runtime/exec/run_parts.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/shard.h"
#include "runtime/ops/all_ops.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/sample_runs.h"

namespace hearth::sharding_test {
namespace {

constexpr int kParts[] = {2, 3, 4};

std::string leaf(size_t i) {
  return "x" + std::to_string(i);
}

bool is_state(const Op& op, int input, size_t n_outputs) {
  const std::vector<int> mutated = op.mutated_inputs();
  if (std::ranges::find(mutated, input) != mutated.end()) return true;
  for (int k = 0; k < static_cast<int>(n_outputs); ++k)
    if (op.version_of(k) == input) return true;
  return false;
}

Graph graph_of(const Sample& sample) {
  const size_t n_outputs = sample.op->infer(types_of(sample.inputs))->size();
  Builder b;
  std::vector<Value> inputs;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const TensorType type = sample.inputs[i].type();
    inputs.push_back(is_state(*sample.op, static_cast<int>(i), n_outputs)
                         ? b.state(leaf(i), type, StateKind::per_position)
                         : b.input(leaf(i), type));
  }
  const std::vector<Value> outputs = b.apply_all(sample.op, inputs);
  for (size_t i = 0; i < n_outputs; ++i) b.output(outputs[i]);
  return *b.finish();
}

// The alternatives with operands as they like.
std::vector<Choice> choices_of(const Sample& sample, int n) {
  Operands x;
  x.inputs = types_of(sample.inputs);
  x.outputs = *sample.op->infer(x.inputs);
  x.given.resize(x.inputs.size());
  x.sources.resize(x.inputs.size(), -1);
  x.may_be_partial = true;
  return choices(*sample.op, x, n);
}

// Parts that a tensor is the sum of; where it is owned, each element is one part's.
std::vector<Tensor> summands(const Tensor& whole, Spread spread, int n) {
  std::vector<Tensor> out;
  for (int part = 0; part < n; ++part) out.emplace_back(whole.type());
  std::mt19937 random(7);
  for (int64_t i = 0; i < whole.type().shape.n_elements(); ++i) {
    float rest = whole.f32()[i];
    const auto owner = static_cast<size_t>(random() % static_cast<unsigned>(n));
    for (size_t part = 0; part < out.size(); ++part)
      if (spread == Spread::sum && part != owner)
        rest -= out[part].f32()[i] = rest * static_cast<float>(random() % 100) * 0.01f;
    out[owner].f32()[i] = rest;
  }
  return out;
}

std::vector<Tensor> parts_of(const Tensor& whole, const Sharding& sharding, int n) {
  if (sharding.is_partial()) return summands(whole, sharding.spread, n);
  std::vector<Tensor> out;
  for (int part = 0; part < n; ++part) out.push_back(part_of(whole.view(), sharding, part));
  return out;
}

// What the parts wrote, put together: outputs, which every part has whole, then states.
Written run_sharded(const Sample& sample, const Graph& graph, const Choice& choice, int n) {
  Propagation p{{"parts", n}, {choice}, {}, std::vector<Sharding>(graph.outputs().size()), 0};
  p.values = choice.inputs;
  p.values.insert(p.values.end(), choice.outputs.begin(), choice.outputs.end());
  std::vector<std::vector<Tensor>> parts;  // by input, by part
  std::vector<Bindings> leaves(static_cast<size_t>(n));
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    parts.push_back(parts_of(sample.inputs[i], choice.inputs[i], n));
    for (size_t part = 0; part < leaves.size(); ++part) leaves[part][leaf(i)] = parts[i][part].view();
  }
  auto results = run_parts(graph, p, leaves);
  if (!results) {
    ADD_FAILURE() << results.error().to_string();
    return {};
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    for (size_t part = 1; part < results->size(); ++part)
      EXPECT_EQ(std::memcmp((*results)[0][i].view().data, (*results)[part][i].view().data,
                            static_cast<size_t>((*results)[0][i].type().bytes())),
                0)
          << "parts disagree on output " << i;
  Written out = std::move((*results)[0]);
  for (int input : sample.op->mutated_inputs()) {
    const auto i = static_cast<size_t>(input);
    out.emplace_back(sample.inputs[i].type());
    for (size_t part = 0; part < leaves.size(); ++part)
      put_part(parts[i][part].view(), choice.inputs[i], static_cast<int>(part), out.back().view());
  }
  return out;
}

class EveryOpSharded : public testing::TestWithParam<size_t> {};

TEST_P(EveryOpSharded, EqualsTheWhole) {
  const Sample& sample = every_sample()[GetParam()];
  const Graph graph = graph_of(sample);
  const Written expected = run_reference(*sample.op, sample.inputs);
  for (int n : kParts) {
    if (HEARTH_HAS_ASAN && n != 3) continue;
    for (const Choice& choice : choices_of(sample, n)) {
      SCOPED_TRACE(
          fmt::format("by {} in {}", choice.how.axis.empty() ? choice.inputs[0].to_string() : choice.how.axis, n));
      const Written got = run_sharded(sample, graph, choice, n);
      ASSERT_EQ(got.size(), expected.size());
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_LE(relative_error(got[i], expected[i]), 3 * std::max(sample.tolerance, 1e-5)) << "output " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, EveryOpSharded, testing::Range<size_t>(0, every_sample().size()),
                         [](const testing::TestParamInfo<size_t>& info) {
                           return name_of(every_sample()[info.param]);
                         });

// So many of what is cut there are, blocks of quantised operands taken together.
int64_t n_units(const Sample& sample, const Alternative& a) {
  int64_t least = INT64_MAX;
  auto look = [&](const OperandRule& rule, const TensorType& type) {
    if (rule.spread != Spread::cut) return;
    const bool is_last = rule.axis == type.shape.rank() - 1;
    const int64_t block = is_last ? dtype_info(type.dtype).block_elements : 1;
    least = std::min(least, type.shape[rule.axis] / std::lcm(rule.unit, block));
  };
  const std::vector<TensorType> types = types_of(sample.inputs), outputs = *sample.op->infer(types);
  for (size_t i = 0; i < types.size(); ++i) look(a.inputs[i], types[i]);
  for (size_t i = 0; i < outputs.size(); ++i) look(a.outputs[i], outputs[i]);
  return least;
}

// Every alternative of every op is run in 2, 3 and 4 parts by some sample, sizes that do not divide among them; where a
// sample is not, it has fewer heads, rows or blocks than parts.
TEST(Sharding, EveryAlternativeIsRun) {
  std::map<std::string, std::set<int>> run;
  int n_uneven = 0, n_too_few = 0;
  for (const Sample& sample : every_sample()) {
    const std::vector<TensorType> types = types_of(sample.inputs);
    for (int n : kParts) {
      const std::vector<Choice> all = choices_of(sample, n);
      for (const Choice& choice : all) {
        if (choice.bounds.size() > 1) n_uneven += choice.bounds.back() % n != 0;
      }
      for (const Alternative& a : alternatives(sample.op->sharding(types))) {
        const std::string what = fmt::format("{} by \"{}\"", sample.op->name(), a.axis);
        const bool is_there = std::ranges::any_of(
            all, [&](const Choice& c) { return c.how.axis == a.axis && c.how.inputs.size() == a.inputs.size(); });
        if (run[what]; is_there) run[what].insert(n);
        if (!is_there && !a.axis.empty()) {
          EXPECT_LT(n_units(sample, a), n) << what << " of " << sample.name;
        }
        n_too_few += !is_there && !a.axis.empty();
      }
    }
  }
  for (const auto& [what, seen] : run)
    for (int n : kParts) EXPECT_TRUE(seen.contains(n)) << what << ": no sample has as many as " << n;
  EXPECT_GT(n_uneven, 100);
  EXPECT_GT(n_too_few, 0);
}

// Ops without a single alternative, and why.
TEST(Sharding, WhatIsNeverCutIsListed) {
  const std::map<std::string, std::string> reasons{
      {"sort_by_expert", "rows of all tokens share one order; it is a few numbers a token, and every part sorts"}};
  std::set<std::string> found;
  for (const Sample& sample : every_sample()) {
    const std::string name(sample.op->name());
    const bool is_empty = alternatives(sample.op->sharding(types_of(sample.inputs))).empty();
    EXPECT_EQ(is_empty, reasons.contains(name)) << name << (is_empty ? " can be cut in no way: say why" : "");
    if (is_empty) found.insert(name);
  }
  EXPECT_EQ(found.size(), reasons.size());
}

TEST(Sharding, BoundsAreEvenAndKeepWhatBelongsTogether) {
  EXPECT_EQ(even_bounds(12, 1, 3), (Bounds{0, 4, 8, 12}));
  EXPECT_EQ(even_bounds(7, 1, 3), (Bounds{0, 2, 4, 7}));
  EXPECT_EQ(even_bounds(256, 64, 3), (Bounds{0, 64, 128, 256}));
  EXPECT_EQ(even_bounds(128, 64, 3), Bounds{}) << "two heads are not three parts";
  EXPECT_EQ(even_bounds(100, 64, 1), Bounds{}) << "no whole heads";
  EXPECT_EQ(even_bounds(12, 1, 2, 4), (Bounds{0, 4, 12}));
  EXPECT_EQ(even_bounds(12, 1, 4, 6), (Bounds{0, 3, 6, 9, 12})) << "two key heads, two parts each";
  EXPECT_EQ(even_bounds(6, 1, 4, 2), (Bounds{0, 2, 4, 5, 6}));
  EXPECT_EQ(even_bounds(2, 1, 3, 2), Bounds{});
  EXPECT_TRUE(keeps_groups({0, 2, 4, 5, 6}, 2));
  EXPECT_FALSE(keeps_groups({0, 3, 6}, 2));
}

TEST(Sharding, WhatCannotBeCutIsNamed) {
  Builder b;
  b.output(b.linear(b.input("x", {Dtype::f32, {4, 64}}), b.parameter("w", {Dtype::q8_0, {6, 64}})));
  const Graph graph = *b.finish();
  auto message = [&](const LeafShardings& leaves, int n) {
    const auto p = propagate(graph, {"parts", n}, leaves, Outputs::whole);
    return p ? std::string() : p.error().to_string();
  };
  EXPECT_NE(message({{"v", Sharding::cut(0, {0, 3, 6})}}, 2).find("no leaf \"v\""), std::string::npos);
  for (const Sharding& wrong : {Sharding::cut(0, {0, 3, 5}), Sharding::cut(2, {0, 3, 6}), Sharding::cut(0, {0, 6}),
                                Sharding::cut(0, {0, 6, 6}), Sharding::cut(1, {0, 40, 64})})
    EXPECT_NE(message({{"w", wrong}}, 2).find("\"w\" q8_0[6, 64] cannot be"), std::string::npos) << wrong.to_string();
  EXPECT_EQ(message({{"w", Sharding::cut(1, {0, 32, 64})}}, 2), "");
  EXPECT_NE(message({}, 0).find("1 to"), std::string::npos);
}

// x is whole, the weights are cut: nothing moves until the product over the cut axis, whose sum is made once for two
// readers, by rows, which come together at the end.
TEST(Sharding, APairOfProductsMovesOneSum) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {8, 16}});
  const Value up = b.parameter("up", {Dtype::f32, {64, 16}}), down = b.parameter("down", {Dtype::f32, {16, 64}});
  const Value y = b.linear(b.silu(b.linear(x, up)), down);
  b.output(b.mul(b.add(x, y), y));
  const Graph graph = *b.finish();
  const Bounds halves = even_bounds(64, 1, 2);
  const auto p = propagate(graph, {"parts", 2}, {{"up", Sharding::cut(0, halves)}, {"down", Sharding::cut(1, halves)}},
                           Outputs::whole);
  ASSERT_TRUE(p) << p.error().to_string();
  EXPECT_EQ(p->bytes, 8 * 16 * 4) << "as an all_reduce moves: " << p->to_string(graph);
  const Graph part = *shard(graph, *p, 1);
  std::vector<std::string> collectives;
  for (const Node& node : part.nodes())
    if (!node.op->mesh().empty()) collectives.emplace_back(node.op->name());
  EXPECT_EQ(collectives, (std::vector<std::string>{"reduce_scatter", "all_gather"})) << part.to_string();
  EXPECT_EQ(part.type(part.find("up")).to_string(), "f32[32, 16]");
}

// Each logical tensor once: the cut ones by parts, the whole one not four times.
TEST(Sharding, TheNormOfCutGradientsIsTheNorm) {
  Builder b;
  const TensorType wide{Dtype::f32, {12, 8}}, row{Dtype::f32, {9}};
  const std::vector<Value> out = b.apply_all(
      std::make_shared<GlobalNorm>(0.5),
      {b.input("loss", {Dtype::f32, {1}}), b.input("cut", wide), b.input("other", wide), b.input("whole", row)});
  for (size_t i : {0u, 1u}) b.output(out[i]);
  const Graph graph = *b.finish();
  std::map<std::string, Tensor> tensors;
  tensors["loss"] = random_tensor({1}, 1), tensors["cut"] = random_tensor({12, 8}, 2);
  tensors["other"] = random_tensor({12, 8}, 3), tensors["whole"] = random_tensor({9}, 4);
  auto run = [&](int n, const LeafShardings& cut) {
    const Propagation p = *propagate(graph, {"parts", n}, cut, Outputs::whole);
    std::vector<Tensor> keep;
    std::vector<Bindings> leaves(static_cast<size_t>(n));
    for (const auto& [name, tensor] : tensors)
      for (int part = 0; part < n; ++part) {
        keep.push_back(part_of(tensor.view(), p.values[static_cast<size_t>(graph.find(name).id)], part));
        leaves[static_cast<size_t>(part)][name] = keep.back().view();
      }
    return std::move((*run_parts(graph, p, leaves)).back());
  };
  const std::vector<Tensor> expected = run(1, {}), got = run(4, {{"cut", Sharding::cut(0, {0, 3, 6, 9, 12})},
                                                                 {"other", Sharding::cut(1, {0, 2, 4, 6, 8})}});
  for (size_t i : {0u, 1u}) EXPECT_NEAR(got[i].f32()[0], expected[i].f32()[0], 1e-6) << i;
  EXPECT_LT(expected[1].f32()[0], 0.5f);
}

// Each way from one sharding to another, through the collective that is made for it.
TEST(Sharding, EveryMoveArrives) {
  const Tensor x = random_tensor({7, 12}, 3);
  const Sharding rows = Sharding::cut(0, {0, 1, 4, 7}), columns = Sharding::cut(1, {0, 4, 8, 12}),
                 others = Sharding::cut(0, {0, 3, 6, 7}), whole, sum{Spread::sum, -1, {}, -1};
  constexpr int kThree = 3;
  for (const Sharding& from : {rows, columns, whole, sum})
    for (const Sharding& to : {rows, columns, others, whole}) {
      SCOPED_TRACE(from.to_string() + " to " + to.to_string());
      Builder b;
      b.output(b.scale(b.input("x", x.type()), 2));
      const Graph graph = *b.finish();
      Choice choice{{}, {}, {to}, {to}, 0, 0, 0};
      const Propagation p{{"parts", kThree}, {choice}, {from, to}, {to}, 0};
      const std::vector<Tensor> parts = parts_of(x, from, kThree);
      std::vector<Bindings> leaves;
      for (const Tensor& part : parts) leaves.push_back({{"x", part.view()}});
      const auto got = run_parts(graph, p, leaves);
      ASSERT_TRUE(got) << got.error().to_string();
      Tensor together(x.type());
      for (int part = 0; part < kThree; ++part)
        put_part((*got)[static_cast<size_t>(part)][0].view(), to, part, together.view());
      for (int64_t i = 0; i < 7 * 12; ++i) EXPECT_NEAR(together.f32()[i], 2 * x.f32()[i], 1e-6);
    }
}

}  // namespace
}  // namespace hearth::sharding_test
