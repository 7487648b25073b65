// Terms of log-probabilities: against the formulas in doubles, their gradients against finite differences, and what
// they share.
#include "runtime/graph/loss_terms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "runtime/exec/interpreter.h"
#include "runtime/ops/rules.h"

namespace hearth::loss_terms_test {
namespace {

constexpr int64_t T = 5, V = 20, C = 8;
constexpr int kPairs = 2;
constexpr float kClip = 0.2f;

Graph model(float factor) {
  Builder b;
  const Value y = b.linear(b.input("x", {Dtype::f32, {T, C}}), b.parameter("lm_head", {Dtype::f32, {V, C}}));
  b.output(factor == 1 ? y : b.scale(y, factor));
  return *b.finish();
}

struct Values {
  std::map<std::string, Tensor> tensors;
  Values() {
    uint32_t seed = 1;
    const auto put = [&](const char* name, Shape shape) { tensors[name] = random_tensor(shape, seed++); };
    put("x", {T, C}), put("lm_head", {V, C});
    for (const char* what : {"pair", "answer"}) {
      put((std::string(what) + "_sums").c_str(), {kPairs, T});
      put((std::string(what) + "_margins").c_str(), {kPairs});
      put((std::string(what) + "_weights").c_str(), {kPairs});
    }
    for (const char* name : {"reference_logprobs", "kl_weights", "advantages", "old_logprobs", "loss_weights"})
      put(name, {T});
    for (const char* name : {"reference_logprobs", "old_logprobs"})
      for (int64_t t = 0; t < T; ++t) tensors[name].f32()[t] -= 3;  // of about a model's own
    tensors["targets"] = ids_tensor({3, -1, 19, 0, 7});
    tensors["dloss"] = Tensor({Dtype::f32, {1}});
    *tensors["dloss"].f32() = 1;
  }
  float at(const char* name, int64_t i) const { return tensors.at(name).f32()[i]; }
  std::vector<Tensor> run(const Graph& graph) const {
    std::map<std::string, TensorView, std::less<>> bindings;
    for (const auto& [name, tensor] : tensors) bindings[name] = tensor.view();
    auto out = interpret(graph, bindings);
    EXPECT_TRUE(out) << out.error().to_string();
    return out ? std::move(*out) : std::vector<Tensor>();
  }
  // By hand.
  double logprob(int64_t t, double factor) const {
    const int32_t target = tensors.at("targets").i32()[t];
    if (target < 0) return 0;
    double z[V] = {}, sum = 0;
    for (int64_t v = 0; v < V; ++v) {
      for (int64_t c = 0; c < C; ++c) z[v] += static_cast<double>(at("x", t * C + c)) * at("lm_head", v * C + c);
      sum += std::exp(factor * z[v]);
    }
    return factor * z[target] - std::log(sum);
  }
  double z(const std::string& what, int64_t i, double factor) const {
    double sum = -at((what + "_margins").c_str(), i);
    for (int64_t t = 0; t < T; ++t) sum += at((what + "_sums").c_str(), i * T + t) * logprob(t, factor);
    return sum;
  }
};

double sigma(double x) {
  return 1 / (1 + std::exp(-x));
}

double by_hand(const Values& v, const std::string& term, double factor) {
  double out = 0;
  for (int64_t i = 0; i < kPairs; ++i) {
    if (term == "preference") out -= v.at("pair_weights", i) * std::log(sigma(v.z("pair", i, factor)));
    if (term == "desirability") out += v.at("answer_weights", i) * (1 - sigma(v.z("answer", i, factor)));
  }
  for (int64_t t = 0; t < T; ++t) {
    const double d = v.at("reference_logprobs", t) - v.logprob(t, factor);
    if (term == "kl_to_reference") out += v.at("kl_weights", t) * (std::exp(d) - 1 - d);
    const double change = std::exp(v.logprob(t, factor) - v.at("old_logprobs", t)) - 1, a = v.at("advantages", t);
    if (term == "clipped_policy_gradient")
      out -= std::min(a * change, a * std::clamp(change, -double{kClip}, double{kClip}));
    if (term == "policy_gradient")
      out -= v.at("advantages", t) * (std::exp(v.logprob(t, factor) - v.at("old_logprobs", t)) - 1);
  }
  return out;
}

const std::map<std::string, LossTerm>& all_terms() {
  static const std::map<std::string, LossTerm> terms{{"preference", preference(kPairs)},
                                                     {"desirability", desirability(kPairs)},
                                                     {"kl_to_reference", kl_to_reference()},
                                                     {"policy_gradient", policy_gradient()},
                                                     {"clipped_policy_gradient", clipped_policy_gradient(kClip)}};
  return terms;
}

TEST(LossTerms, AreTheirFormulas) {
  const Values values;
  for (const float factor : {1.0f, 0.4f})
    for (const auto& [name, term] : all_terms()) {
      SCOPED_TRACE(name);
      auto graph = loss(model(factor), {&term, 1});
      ASSERT_TRUE(graph) << graph.error().to_string();
      const double want = by_hand(values, name, factor);
      EXPECT_NE(want, 0);
      EXPECT_NEAR(values.run(*graph)[0].f32()[0], want, 1e-5 * std::max(1.0, std::abs(want)));
    }
}

TEST(LossTerms, HaveTheGradientsOfFiniteDifferences) {
  for (const auto& [name, term] : all_terms()) {
    SCOPED_TRACE(name);
    const Graph graph = *loss(model(0.4f), {&term, 1});
    const Value wrt[] = {graph.find("x"), graph.find("lm_head")};
    auto differentiated = differentiate(graph, graph.outputs()[0], wrt);
    ASSERT_TRUE(differentiated) << differentiated.error().to_string();
    Values values;
    const std::vector<Tensor> got = values.run(differentiated->graph);
    size_t output = 1;
    for (const char* input : {"x", "lm_head"}) {
      const Tensor& gradient = got[output++];
      for (int64_t i = 0; i < gradient.type().shape.n_elements(); i += 3) {
        float& element = values.tensors[input].f32()[i];
        const float here = element, step = 1e-3f;
        element = here + step;
        const double up = by_hand(values, name, 0.4f), above = element;
        element = here - step;
        const double down = by_hand(values, name, 0.4f), below = element;
        element = here;
        EXPECT_NEAR(gradient.f32()[i], (up - down) / (above - below), 2e-4) << input << " element " << i;
      }
    }
  }
}

TEST(LossTerms, OfOneLossShareTheirLogProbabilities) {
  std::vector<LossTerm> terms;
  for (const auto& [name, term] : all_terms()) {
    terms.push_back(term);
    if (name == "kl_to_reference") terms.back().weight = 0.25f;
  }
  terms.push_back(cross_entropy());
  const Graph graph = *loss(model(1), terms);
  const Value wrt[] = {graph.find("x"), graph.find("lm_head")};
  const Graph backward = *prune(differentiate(graph, graph.outputs()[0], wrt)->graph);
  const auto count = [](const Graph& g, std::string_view op) {
    return std::count_if(g.nodes().begin(), g.nodes().end(), [&](const Node& n) { return n.op->name() == op; });
  };
  EXPECT_EQ(count(graph, "token_logprobs"), 1);
  EXPECT_EQ(count(backward, "token_logprobs_backward"), 1);
  for (const ValueInfo& info : backward.values())
    EXPECT_FALSE(info.kind == ValueKind::computed && info.type.shape == Shape({T, V})) << "logits are never all there";
  const Values values;
  double want = 0, nll = 0;
  for (const auto& [name, term] : all_terms())
    want += by_hand(values, name, 1) * (name == "kl_to_reference" ? 0.25 : 1);
  for (int64_t t = 0; t < T; ++t) nll -= values.at("loss_weights", t) * values.logprob(t, 1);
  EXPECT_NEAR(values.run(graph)[0].f32()[0], want + nll, 1e-4);
}

// Of advantages and changes of either sign, some tokens learn and some are clipped.
TEST(LossTerms, ClippingStopsWhatWentFarAlready) {
  Values values;
  const LossTerm terms[] = {clipped_policy_gradient(kClip)};
  const Graph graph = *loss(model(1), terms);
  const Value wrt[] = {graph.find("x")};
  const Graph backward = differentiate(graph, graph.outputs()[0], wrt)->graph;
  const std::vector<int64_t> tokens{0, 2, 3, 4};  // the others have no target
  for (const double change : {-0.5, -0.1, 0.1, 0.5})
    for (const float advantage : {-1.0f, 1.0f}) {
      for (const int64_t t : tokens) {
        values.tensors["old_logprobs"].f32()[t] = static_cast<float>(values.logprob(t, 1) - std::log1p(change));
        values.tensors["advantages"].f32()[t] = advantage;
      }
      const std::vector<Tensor> got = values.run(backward);
      const bool is_clipped = advantage > 0 ? change > kClip : change < -kClip;
      for (const int64_t t : tokens) {
        double length = 0;
        for (int64_t c = 0; c < C; ++c) length += std::abs(got[1].f32()[t * C + c]);
        EXPECT_EQ(length == 0, is_clipped) << "token " << t << ", changed by " << change << ", advantage " << advantage;
      }
    }
}

TEST(LossTerms, WhatCannotBeIsSaid) {
  for (const float clip : {0.0f, 1.0f, -0.2f, NAN}) {
    const LossTerm terms[] = {clipped_policy_gradient(clip)};
    EXPECT_EQ(loss(model(1), terms).error().code, Code::invalid_argument) << clip;
  }
  for (const int n : {0, -1, 1 << 20}) {
    const LossTerm terms[] = {preference(n)}, others[] = {desirability(n)};
    EXPECT_EQ(loss(model(1), terms).error().code, Code::invalid_argument) << n;
    EXPECT_EQ(loss(model(1), others).error().code, Code::invalid_argument) << n;
  }
  Builder b;
  const Value y = b.linear(b.input("x", {Dtype::f32, {T, C}}), b.parameter("lm_head", {Dtype::f32, {V, C}}));
  b.output(b.add(y, b.scale(y, 0.5f)));
  const Graph more = *b.finish();
  for (const auto& [name, term] : all_terms())
    EXPECT_EQ(loss(more, {&term, 1}).error().code, Code::unimplemented) << name;
}

}  // namespace
}  // namespace hearth::loss_terms_test
