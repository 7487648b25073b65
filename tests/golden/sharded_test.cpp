// Every golden checkpoint on several parts: parameters cut by the names of their axes, each part a thread that speaks
// through the in-process communicator. Logits and gradients equal those of the whole graph on one CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/architectures/tensor_parallel.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/run_parts.h"
#include "tests/golden/golden_engine.h"

namespace hearth::golden::sharded_test {
namespace {

constexpr int kTokens = 24, kDocument = 13;  // two documents
// Of gradients, relative: a recurrence with the delta rule walks its rounding back over all tokens.
constexpr double kGradientTolerance = 3e-5;

Dtype as_f32(const ParameterSpec&) {
  return Dtype::f32;
}

std::vector<fs::path> all_cases() {
  std::vector<fs::path> out = cases();
  for (const char* encoder : {"bert_fp32", "bert_reranker_fp32"})
    out.push_back(fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / encoder);
  return out;
}

// Weights widened to f32, and inputs.
struct Leaves {
  std::map<std::string, Tensor, std::less<>> tensors;
  void add_ids(const std::string& name, auto id) {
    Tensor ids(TensorType{Dtype::i32, {kTokens}});
    for (int t = 0; t < kTokens; ++t) ids.i32()[t] = id(t);
    tensors[name] = std::move(ids);
  }
};

Leaves leaves_of(const LoadedModel& model) {
  Leaves out;
  for (const auto& [role, weight] : model.weights) out.tensors[role] = to_f32(weight);
  const int vocab = model.config.vocab_size;
  out.add_ids("tokens", [&](int t) { return (t * 7 + 3) % vocab; });
  out.add_ids("positions", [](int t) { return t < kDocument ? t : t - kDocument; });
  out.add_ids("segment_begin", [](int t) { return t < kDocument ? 0 : kDocument; });
  out.add_ids("targets", [&](int t) { return t == 5 ? -1 : (t * 5 + 1) % vocab; });
  out.add_ids("token_types", [](int t) { return t % 2; });
  Tensor weights(TensorType{Dtype::f32, {kTokens}}), dloss(TensorType{Dtype::f32, {1}});
  for (int t = 0; t < kTokens; ++t) weights.f32()[t] = t == 5 ? 0 : 1.0f / (kTokens - 1);
  dloss.f32()[0] = 1;
  out.tensors["loss_weights"] = std::move(weights);
  out.tensors["dloss"] = std::move(dloss);
  return out;
}

Result<std::vector<Tensor>> run_whole(const Graph& graph, const Leaves& leaves) {
  Bindings bindings;
  for (const auto& [name, tensor] : leaves.tensors) bindings[name] = tensor.view();
  const Propagation whole = TRY(propagate(graph, {"parts", 1}, {}, Outputs::whole));
  return std::move(TRY(run_parts(graph, whole, {bindings}))[0]);
}

Result<std::vector<Tensor>> run_cut(const Graph& graph, const Propagation& p, const Leaves& leaves) {
  std::vector<Tensor> keep;
  std::vector<Bindings> parts(static_cast<size_t>(p.mesh.n));
  for (int part = 0; part < p.mesh.n; ++part)
    for (size_t id = 0; id < graph.values().size(); ++id) {
      const ValueInfo& info = graph.values()[id];
      if (info.kind == ValueKind::computed) continue;
      keep.push_back(part_of(leaves.tensors.at(info.name).view(), p.values[id], part));
      parts[static_cast<size_t>(part)][info.name] = keep.back().view();
    }
  std::vector<std::vector<Tensor>> out = TRY(run_parts(graph, p, parts));
  return std::move(out.back());
}

double largest_of(const Tensor& t) {
  double largest = 0;
  for (int64_t i = 0; i < t.type().shape.n_elements(); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(t.f32()[i])));
  return largest;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.type(), b.type());
  double difference = 0;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) {
    const double d = std::fabs(static_cast<double>(a.f32()[i]) - b.f32()[i]);
    difference = std::isfinite(d) ? std::max(difference, d) : INFINITY;
  }
  return difference;
}

LeafShardings cut_for(const Graph& graph, const LoadedModel& model, int n) {
  LeafShardings cut = cut_parameters(model.parameters, as_f32, tensor_parallel_axes(), n);
  std::erase_if(cut, [&](const auto& leaf) { return !graph.find(leaf.first); });  // what this graph does not read
  return cut;
}

// Nodes that mix tokens, or read a parameter that is cut, are cut themselves.
void expect_cut(const Graph& graph, const Propagation& p, const LeafShardings& leaves) {
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const bool mixes = node.op->name().find("attention") != std::string_view::npos;
    const bool is_cut = !p.nodes[i].bounds.empty();
    if (mixes) {
      EXPECT_TRUE(is_cut) << node.scope << " " << node.op->name();
    }
    for (Value v : node.inputs)
      if (leaves.contains(graph.info(v).name)) {
        EXPECT_TRUE(is_cut) << node.scope << " reads " << graph.info(v).name;
      }
  }
}

class Sharded : public testing::TestWithParam<fs::path> {};

TEST_P(Sharded, ForwardEqualsTheWhole) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  const auto graph = build_forward(model->config, as_f32, kTokens, kTokens);
  ASSERT_TRUE(graph) << graph.error().to_string();
  const Leaves leaves = leaves_of(*model);
  const auto expected = run_whole(*graph, leaves);
  ASSERT_TRUE(expected) << expected.error().to_string();
  for (int n : {2, 3, 4}) {
    SCOPED_TRACE(fmt::format("{} parts", n));
    const LeafShardings cut = cut_for(*graph, *model, n);
    const auto p = propagate(*graph, {"tensor", n}, cut, Outputs::whole);
    ASSERT_TRUE(p) << p.error().to_string();
    if (n == 2) expect_cut(*graph, *p, cut);
    const auto got = run_cut(*graph, *p, leaves);
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_LE(largest_difference((*got)[0], (*expected)[0]), 1e-5 * largest_of((*expected)[0]));
  }
}

// Inputs by position: sequence parallelism, keys and values gathered.
TEST_P(Sharded, PositionsEqualTheWhole) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  const auto graph = build_forward(model->config, as_f32, kTokens, kTokens);
  ASSERT_TRUE(graph) << graph.error().to_string();
  const Leaves leaves = leaves_of(*model);
  const auto expected = run_whole(*graph, leaves);
  ASSERT_TRUE(expected) << expected.error().to_string();
  constexpr int kThree = 3;
  LeafShardings cut;
  for (const char* name : {"tokens", "positions", "segment_begin", "token_types"})
    if (graph->find(name)) cut[name] = Sharding::cut(0, {0, 5, 14, kTokens});
  const auto p = propagate(*graph, {"sequence", kThree}, cut, Outputs::whole);
  ASSERT_TRUE(p) << p.error().to_string();
  const auto got = run_cut(*graph, *p, leaves);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_LE(largest_difference((*got)[0], (*expected)[0]), 1e-5 * largest_of((*expected)[0]));
}

TEST_P(Sharded, GradientsEqualTheWhole) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  if (GetParam().filename().string().starts_with("bert")) GTEST_SKIP() << "encoders are not trained";
  const auto forward = build_training_graph(model->config, as_f32, kTokens, {});
  ASSERT_TRUE(forward) << forward.error().to_string();
  std::vector<std::string> names{"the loss"};
  std::vector<Value> wrt;
  for (const ParameterSpec& spec : model->parameters) {
    if (spec.kind == ParameterKind::constant) continue;
    names.push_back(spec.role);
    wrt.push_back(forward->graph.find(spec.role));
  }
  const auto backward = differentiate(forward->graph, forward->loss, wrt);
  ASSERT_TRUE(backward) << backward.error().to_string();
  const Graph& graph = backward->graph;
  const Leaves leaves = leaves_of(*model);
  const auto expected = run_whole(graph, leaves);
  ASSERT_TRUE(expected) << expected.error().to_string();
  double largest = 0;
  for (size_t i = 1; i < names.size(); ++i)
    if ((*expected)[i].f32() != nullptr) largest = std::max(largest, largest_of((*expected)[i]));
  for (int n : {2, 3}) {
    SCOPED_TRACE(fmt::format("{} parts", n));
    const LeafShardings cut = cut_for(graph, *model, n);
    const auto p = propagate(graph, {"tensor", n}, cut, Outputs::whole);
    ASSERT_TRUE(p) << p.error().to_string();
    if (n == 2) expect_cut(graph, *p, cut);
    const auto got = run_cut(graph, *p, leaves);
    ASSERT_TRUE(got) << got.error().to_string();
    ASSERT_EQ(got->size(), names.size());
    for (size_t i = 0; i < names.size(); ++i) {  // those that are zero but for rounding are compared with the others
      if ((*expected)[i].f32() == nullptr) continue;  // no gradient reaches it
      EXPECT_LE(largest_difference((*got)[i], (*expected)[i]),
                kGradientTolerance * std::max(largest_of((*expected)[i]), i == 0 ? 0 : 0.1 * largest))
          << names[i];
    }
  }
}

TEST(ShardedCases, AreThere) {
  EXPECT_GE(all_cases().size(), 40u);
}

INSTANTIATE_TEST_SUITE_P(Cases, Sharded, testing::ValuesIn(all_cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return case_name(info.param); });

}  // namespace
}  // namespace hearth::golden::sharded_test
