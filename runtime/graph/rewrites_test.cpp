// Rewrites on a small Llama: the gradient of the whole model against finite differences; recompute changes no
// result.
#include "runtime/graph/rewrites.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hwdetect/cpu_features.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/interpreter.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/quantise/quantise.h"
#include "runtime/ops/rules.h"

namespace hearth::rewrites_test {
namespace {

ModelConfig tiny_config() {
  ModelConfig c;
  c.n_layers = 2, c.d_model = 16, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 4, c.d_ff = 24, c.vocab_size = 20,
  c.max_seq_len = 32;
  c.attention_bias = true;
  return c;
}

// A training graph with random parameters and one packed row of two documents.
class TinyModel {
 public:
  static constexpr int kTokens = 7;
  explicit TinyModel(const LoraConfig& lora = {}) {
    auto built = build_training_graph(
        tiny_config(), [](const ParameterSpec&) { return Dtype::f32; }, kTokens, lora);
    EXPECT_TRUE(built) << built.error().to_string();
    training = std::move(*built);
    uint32_t seed = 1;
    for (const ValueInfo& info : training.graph.values())
      if (info.kind == ValueKind::parameter) add(info.name, random_tensor(info.type.shape, seed++, 0.6f));
    add("tokens", ids_tensor({3, 1, 4, 1, 5, 9, 2}));
    add("positions", ids_tensor({0, 1, 2, 3, 0, 1, 2}));
    add("segment_begin", ids_tensor({0, 0, 0, 0, 4, 4, 4}));
    add("targets", ids_tensor({1, 4, 1, -1, 9, 2, 6}));
    add("loss_weights", random_tensor({kTokens}, 99));
    Tensor one(TensorType{Dtype::f32, {1}});
    one.f32()[0] = 1;
    add("dloss", std::move(one));
  }

  void add(const std::string& name, Tensor tensor) {
    bindings[name] = tensor.view();
    storage.push_back(std::move(tensor));
  }
  std::vector<Value> parameters(std::string_view ending = "") const {
    std::vector<Value> out;
    for (size_t i = 0; i < training.graph.values().size(); ++i) {
      const ValueInfo& info = training.graph.values()[i];
      if (info.kind == ValueKind::parameter && info.name.ends_with(ending)) out.push_back({static_cast<int>(i)});
    }
    return out;
  }
  double loss() const { return (*interpret(training.graph, bindings))[0].f32()[0]; }

  TrainingGraph training;
  std::map<std::string, TensorView, std::less<>> bindings;
  std::vector<Tensor> storage;
};

TEST(Differentiate, WholeModelAgainstFiniteDifferences) {
  TinyModel model;
  const std::vector<Value> wrt = model.parameters();
  auto differentiated = differentiate(model.training.graph, model.training.loss, wrt);
  ASSERT_TRUE(differentiated) << differentiated.error().to_string();
  const std::vector<Tensor> outputs = *interpret(differentiated->graph, model.bindings);
  for (size_t k = 0; k < wrt.size(); ++k) {
    const ValueInfo& info = model.training.graph.info(wrt[k]);
    const Tensor& grad = outputs[k + 1];
    ASSERT_EQ(grad.type().shape, info.type.shape) << info.name;
    float* x = model.bindings.at(info.name).f32();
    for (int64_t i = 0; i < info.type.shape.n_elements(); i += 1 + info.type.shape.n_elements() / 5) {
      const float original = x[i];
      constexpr float kStep = 4e-3f;
      x[i] = original + kStep;
      const double above = model.loss();
      x[i] = original - kStep;
      const double below = model.loss();
      x[i] = original;
      EXPECT_NEAR(grad.f32()[i], (above - below) / (2 * kStep), 2e-3) << info.name << " element " << i;
    }
  }
}

TEST(Differentiate, LoraTrainsTheAdaptersOnly) {
  TinyModel model(LoraConfig{2, 4, {"wq", "w_down"}});
  const std::vector<Value> adapters = model.parameters("lora_a");
  EXPECT_EQ(adapters.size(), 4u);
  auto differentiated = differentiate(model.training.graph, model.training.loss, adapters);
  ASSERT_TRUE(differentiated) << differentiated.error().to_string();
  for (Value grad : differentiated->grads) EXPECT_TRUE(grad);
  // Nothing is spent on weight gradients of the frozen base: one backward product more per linear, not two.
  TinyModel full;
  auto all = differentiate(full.training.graph, full.training.loss, full.parameters());
  EXPECT_LT(differentiated->graph.nodes().size() - model.training.n_forward_nodes,
            all->graph.nodes().size() - full.training.n_forward_nodes);
}

TEST(Recompute, SameGradientsFromRecomputedActivations) {
  TinyModel model;
  const std::vector<Value> wrt = model.parameters();
  auto differentiated = differentiate(model.training.graph, model.training.loss, wrt);
  ASSERT_TRUE(differentiated);
  auto again = recompute(differentiated->graph, model.training.n_forward_nodes, model.training.layer_inputs);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_GT(again->nodes().size(), differentiated->graph.nodes().size());
  const std::vector<Tensor> expected = *interpret(differentiated->graph, model.bindings),
                            got = *interpret(*again, model.bindings);
  for (size_t k = 0; k < expected.size(); ++k)
    for (int64_t i = 0; i < expected[k].type().shape.n_elements(); ++i)
      ASSERT_EQ(got[k].f32()[i], expected[k].f32()[i]) << "output " << k;
}

TEST(Differentiate, FrozenWeightsThatAreAskedForAreAnError) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {2, 32}}), w = b.parameter("w", {Dtype::q8_0, {1, 32}});
  const Value loss = b.merge(b.matmul(b.input("ones", {Dtype::f32, {1, 2}}), b.linear(x, w), false, false), 0);
  const Value wrt[] = {w};
  const auto result = differentiate(*b.finish(), loss, wrt);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("frozen"), std::string::npos) << result.error().to_string();
}

// The same activations against three weights: two of four bits, one of eight.
struct Products {
  Graph graph;
  std::vector<Tensor> tensors;
  std::map<std::string, TensorView, std::less<>> bindings;
};
Products three_products() {
  Products out;
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {3, 256}});
  out.tensors.push_back(random_tensor({3, 256}, 1));
  out.bindings["x"] = out.tensors.back().view();
  for (auto [name, dtype] : {std::pair{"q", Dtype::q4_0}, {"k", Dtype::q4_k}, {"v", Dtype::q8_0}}) {
    out.tensors.push_back(random_weights(dtype, {40, 256}, 2));
    out.bindings[name] = out.tensors.back().view();
    b.output(b.linear(x, b.parameter(name, out.tensors.back().type())));
  }
  out.graph = *b.finish();
  return out;
}

TEST(QuantiseActivations, IsOneNodeForTheProductsThatShareThem) {
  const Products p = three_products();
  const Graph quantised = *quantise_activations(p.graph);
  ASSERT_EQ(quantised.nodes().size(), 4u) << quantised.to_string();
  EXPECT_EQ(quantised.nodes()[0].op->name(), "quantise");
  EXPECT_EQ(quantised.nodes()[1].inputs[0], quantised.nodes()[0].outputs[0]);
  EXPECT_EQ(quantised.nodes()[2].inputs[0], quantised.nodes()[0].outputs[0]);
  EXPECT_EQ(quantised.type(quantised.nodes()[3].inputs[0]).dtype, Dtype::f32) << "eight bits are not rounded against";
  EXPECT_EQ(quantise_activations(quantised)->nodes().size(), 4u) << "a second time changes nothing";
}

TEST(QuantiseActivations, MovesResultsByLessThanTheirRounding) {
  const Products p = three_products();
  const std::vector<Tensor> exact = *interpret(p.graph, p.bindings);
  const std::vector<Tensor> rounded = *interpret(*quantise_activations(p.graph), p.bindings);
  for (size_t i = 0; i < 3; ++i) {
    double difference = 0, size = 0;
    for (int64_t j = 0; j < 3 * 40; ++j) {
      const double d = rounded[i].f32()[j] - exact[i].f32()[j];
      difference += d * d, size += static_cast<double>(exact[i].f32()[j]) * exact[i].f32()[j];
    }
    const double share = std::sqrt(difference / size);
    EXPECT_LT(share, i == 2 ? 1e-12 : 0.01) << "output " << i;
    EXPECT_GE(share, i == 2 ? 0 : 1e-5) << "output " << i << " was not quantised";
  }
}

// A damaged weight shows as NaN in the logits, and is refused there: rounding must not hide it.
TEST(QuantiseActivations, WhatIsNoNumberStaysNone) {
  for (float bad : {NAN, INFINITY, -INFINITY})
    for (int64_t at : {0, 7, 31}) {
      Tensor x = random_tensor({1, 64}, 1), q(TensorType{Dtype::q8_0, {1, 64}}), expected(q.type());
      x.f32()[at] = bad;
      const Quantise op;
      const TensorView in[] = {x.view()}, out[] = {q.view()}, reference[] = {expected.view()};
      const TensorType types[] = {x.type()};
      cpu_kernels(cpu_features()).find(op, types).run({&op, in, out, nullptr}, Worker{});
      op.reference(in, reference);
      for (const Tensor& rounded : {to_f32(q.view()), to_f32(expected.view())}) {
        EXPECT_TRUE(std::isnan(rounded.f32()[0]) && std::isnan(rounded.f32()[31])) << bad << " at " << at;
        EXPECT_TRUE(std::isfinite(rounded.f32()[32])) << "the next block is whole";
      }
    }
}

}  // namespace
}  // namespace hearth::rewrites_test
