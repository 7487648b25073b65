// Families with experts in training: gradients reach every weight and agree with finite differences of the loss, and
// low-rank updates leave the experts alone.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "runtime/architectures/architecture.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth::experts_test {
namespace {

constexpr int kTokens = 7;

ModelConfig config_of(const std::string& family) {
  ModelConfig c;
  c.family = family;
  c.n_layers = 2, c.d_model = 16, c.n_heads = 2, c.n_kv_heads = 1, c.head_dim = 8, c.d_ff = 12, c.vocab_size = 20,
  c.max_seq_len = 32;
  c.moe.n_experts = 4, c.moe.d_ff = 6;
  c.moe.routing.n_chosen = 2;
  c.moe.routing.normalise = true;
  return c;
}

ModelConfig gpt_oss_config() {
  ModelConfig c = config_of("gpt_oss");
  c.attention_bias = true;
  c.moe.swiglu = {.alpha = 1.702f, .limit = 7, .offset = 1};
  c.window = 3;
  c.layer_kinds = {LayerKind::sliding, LayerKind::full};
  return c;
}

ModelConfig deepseek_config() {
  ModelConfig c = config_of("deepseek_v3");
  c.n_kv_heads = 2;
  c.mla = {.q_rank = 6, .kv_rank = 8, .nope_dim = 6, .rope_dim = 4, .value_dim = 10, .rope_interleaved = true};
  c.head_dim = 10;
  c.rope.rotary_dim = 4;
  c.moe.d_ff_shared = 6;
  c.moe.dense_layers = {true, false};
  Routing& routing = c.moe.routing;
  routing.scoring = Routing::Scoring::sigmoid;
  routing.group_score = Routing::GroupScore::sum_of_two;
  routing.n_groups = 2, routing.n_chosen_groups = 1, routing.scale = 2.5f;
  return c;
}

std::vector<ModelConfig> configs() {
  return {config_of("mixtral"), gpt_oss_config(), deepseek_config()};
}

Dtype all_f32(const ParameterSpec&) {
  return Dtype::f32;
}

using Weights = std::map<std::string, Tensor>;

Weights random_weights_of(const ModelConfig& c) {
  Weights out;
  uint32_t seed = 1;
  for (const ParameterSpec& spec : (*find_architecture(c.family))->parameters(c)) {
    const bool is_norm = spec.kind == ParameterKind::norm;
    Tensor t = random_tensor(spec.shape, seed++, is_norm ? 0.2f : 0.6f);
    for (int64_t i = 0; is_norm && i < spec.shape.n_elements(); ++i) t.f32()[i] += 1;
    out.emplace(spec.role, std::move(t));
  }
  return out;
}

struct Inputs {
  Tensor tokens = random_ids(kTokens, 20, 91), positions = ids_tensor({0, 1, 2, 3, 0, 1, 2}),
         segment_begin = ids_tensor({0, 0, 0, 0, 4, 4, 4}), targets = random_ids(kTokens, 20, 92),
         loss_weights = random_tensor({kTokens}, 93), dloss = random_tensor({1}, 94);
};

using Bound = std::map<std::string, TensorView, std::less<>>;

Bound bound_to(const Weights& weights, const Inputs& in) {
  Bound out{{"tokens", in.tokens.view()},
            {"positions", in.positions.view()},
            {"segment_begin", in.segment_begin.view()},
            {"targets", in.targets.view()},
            {"loss_weights", in.loss_weights.view()},
            {"dloss", in.dloss.view()}};
  for (const auto& [role, tensor] : weights) out[role] = tensor.view();
  return out;
}

double loss_of(const TrainingGraph& training, const Weights& weights, const Inputs& in) {
  auto outputs = interpret(training.graph, bound_to(weights, in));
  EXPECT_TRUE(outputs) << outputs.error().to_string();
  return outputs ? static_cast<double>((*outputs)[0].f32()[0]) : 0;
}

// The weight moved along a fixed direction; returns the gradient's component along it.
double move(Tensor& weight, const Tensor& gradient, const Tensor& direction, float step) {
  double along = 0;
  for (int64_t i = 0; i < weight.type().shape.n_elements(); ++i) {
    weight.f32()[i] += step * direction.f32()[i];
    along += static_cast<double>(gradient.f32()[i]) * direction.f32()[i];
  }
  return along;
}

TEST(Experts, GradientsOfEveryWeightEqualFiniteDifferences) {
  for (const ModelConfig& c : configs()) {
    SCOPED_TRACE(c.family);
    auto training = build_training_graph(c, all_f32, kTokens, {});
    ASSERT_TRUE(training) << training.error().to_string();
    Weights weights = random_weights_of(c);
    Inputs in;
    in.dloss.f32()[0] = 1;
    std::vector<std::string> roles;
    std::vector<Value> wrt;
    for (const ParameterSpec& spec : (*find_architecture(c.family))->parameters(c)) {
      if (spec.kind == ParameterKind::constant) continue;
      roles.push_back(spec.role);
      wrt.push_back(training->graph.find(spec.role));
    }
    auto gradient = differentiate(training->graph, training->loss, wrt);
    ASSERT_TRUE(gradient) << gradient.error().to_string();
    for (size_t i = 0; i < roles.size(); ++i) ASSERT_TRUE(gradient->grads[i]) << "no gradient reaches " << roles[i];
    auto outputs = interpret(gradient->graph, bound_to(weights, in));
    ASSERT_TRUE(outputs) << outputs.error().to_string();
    for (size_t i = 0; i < roles.size(); ++i) {
      Tensor& weight = weights.at(roles[i]);
      const Tensor& g = (*outputs)[i + 1];
      const Tensor direction = random_tensor(weight.type().shape, static_cast<uint32_t>(1000 + i));
      constexpr float kStep = 1.0f / 512;
      const double along = move(weight, g, direction, kStep), above = loss_of(*training, weights, in);
      move(weight, g, direction, -2 * kStep);
      const double below = loss_of(*training, weights, in);
      move(weight, g, direction, kStep);
      EXPECT_NEAR(along, (above - below) / (2 * kStep), 5e-3 * std::max(1.0, std::fabs(along))) << roles[i];
    }
  }
}

TEST(Experts, LowRankUpdatesLeaveThemAlone) {
  for (const ModelConfig& c : configs()) {
    const LoraConfig everything{.rank = 2, .alpha = 4, .targets = {}};
    auto training = build_training_graph(c, all_f32, kTokens, everything);
    ASSERT_TRUE(training) << c.family;
    const std::vector<LowRank> updates = *lora_updates(c, **find_architecture(c.family), everything);
    for (const LowRank& update : updates) {
      const Value weight = training->graph.find(update.parameter);
      EXPECT_EQ(training->graph.type(weight).shape.rank(), 2) << update.parameter;
      EXPECT_TRUE(training->graph.find(update.parameter + ".lora_b"));
    }
    auto refused = build_training_graph(c, all_f32, kTokens, {.rank = 2, .alpha = 4, .targets = {"wo", "experts_up"}});
    ASSERT_FALSE(refused) << c.family;
    EXPECT_EQ(refused.error().code, Code::unimplemented);
    EXPECT_NE(refused.error().message.find("experts_up"), std::string::npos) << refused.error().message;
  }
}

TEST(Experts, ConfigurationsThatCannotBeAreNamed) {
  ModelConfig c = deepseek_config();
  c.moe.routing.n_chosen = 3;  // only one group of two experts may be chosen from
  const auto too_many = validate(c);
  ASSERT_FALSE(too_many);
  EXPECT_NE(too_many.error().message.find("experts per token"), std::string::npos) << too_many.error().message;
  c = deepseek_config();
  c.moe.routing.n_groups = 3;
  EXPECT_FALSE(validate(c));
}

}  // namespace
}  // namespace hearth::experts_test
