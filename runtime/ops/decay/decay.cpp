// decay and decay_backward: rules.
#include "runtime/ops/decay/decay.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Decay::name() const {
  return "decay";
}
std::string Decay::attributes() const {
  return fmt::format("min_step={} max_step={}", min_step, max_step);
}

namespace {

Result<void> check_decay(std::string_view op, Types inputs) {
  for (size_t i : {1u, 2u})
    if (inputs[i].shape[0] != inputs[0].shape[1])
      return shape_error(op, "a_log and bias", Shape{inputs[0].shape[1]}.to_string(), inputs[i].to_string());
  for (size_t i = 3; i < inputs.size(); ++i) TRY(check_same_shape(op, inputs, 0, i));
  return {};
}

constexpr float kNoLimit = std::numeric_limits<float>::infinity();

}  // namespace

Result<std::vector<TensorType>> Decay::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 2}, {"a_log", Accept::f32, 1}, {"bias", Accept::f32, 1}}));
  TRY(check_decay(name(), inputs));
  return std::vector{inputs[0], inputs[0]};
}

void Decay::reference(Views inputs, Views outputs) const {
  const int64_t H = inputs[0].dim(1);
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i) {
    const float step = std::min(std::max(softplus(inputs[0].f32()[i] + inputs[2].f32()[i % H]), min_step), max_step);
    outputs[0].f32()[i] = -std::exp(inputs[1].f32()[i % H]) * step;
    outputs[1].f32()[i] = step;
  }
}

Result<std::vector<Value>> Decay::gradient(GradientBuilder& g) const {
  const bool has_dlog_decay = static_cast<bool>(g.grad(0)), has_dstep = static_cast<bool>(g.grad(1));
  std::vector<Value> operands{g.input(0), g.input(1), g.input(2)};
  if (has_dlog_decay) operands.push_back(g.grad(0));
  if (has_dstep) operands.push_back(g.grad(1));
  std::vector<Value> grads = g.b.apply_all(
      std::make_shared<DecayBackward>(min_step, max_step, has_dlog_decay, has_dstep), std::move(operands));
  grads.resize(3);
  return grads;
}

ShardingRule Decay::sharding(Types) const {
  const Axes gates{"position", "heads"}, of_head{"heads"};
  return {{gates, of_head, of_head}, {gates, gates}, {"position", "heads"}};
}
Cost Decay::cost(Types inputs, Types outputs) const {
  return streaming_cost(12.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Decay::samples() {
  auto sample = [](const char* name, float low, float high, std::vector<int> gradients) {
    return make_sample(name, std::make_shared<Decay>(low, high), std::move(gradients), random_tensor({5, 6}, 1, 6),
                       random_tensor({6}, 2), random_tensor({6}, 3));
  };
  return sample_list(sample("small", 0, kNoLimit, {0, 1, 2}), sample("limited", 0.5f, 3, {1}),
                     make_sample("large", std::make_shared<Decay>(0.0f, kNoLimit), {}, random_tensor({9, 33}, 1, 60),
                                 random_tensor({33}, 2, 3), random_tensor({33}, 3)),
                     make_sample("cut", std::make_shared<Decay>(0.0f, kNoLimit), {}, random_tensor({12, 12}, 4),
                                 random_tensor({12}, 5), random_tensor({12}, 6)));
}

std::string_view DecayBackward::name() const {
  return "decay_backward";
}
std::string DecayBackward::attributes() const {
  return fmt::format("min_step={} max_step={} dlog_decay={} dstep={}", min_step, max_step, has_dlog_decay, has_dstep);
}

Result<std::vector<TensorType>> DecayBackward::infer(Types inputs) const {
  const Operand a{"a", Accept::f32, 2}, a_log{"a_log", Accept::f32, 1}, bias{"bias", Accept::f32, 1},
      first{has_dlog_decay ? "dlog_decay" : "dstep", Accept::f32, 2}, second{"dstep", Accept::f32, 2};
  TRY(has_dlog_decay && has_dstep ? check_operands(*this, inputs, {a, a_log, bias, first, second})
                                  : check_operands(*this, inputs, {a, a_log, bias, first}));
  TRY(check_decay(name(), inputs));
  return std::vector{inputs[0], inputs[1], inputs[2]};
}

// log_decay = -e^a_log step, so da_log = Σ_t dlog_decay log_decay; softplus' = sigmoid, and 0 outside of the limits.
void DecayBackward::reference(Views inputs, Views outputs) const {
  const int64_t T = inputs[0].dim(0), H = inputs[0].dim(1);
  for (int64_t h = 0; h < H; ++h) {
    const float rate = -std::exp(inputs[1].f32()[h]), bias = inputs[2].f32()[h];
    double da_log = 0, dbias = 0;
    for (int64_t i = h; i < T * H; i += H) {
      const float x = inputs[0].f32()[i] + bias, free_step = softplus(x);
      const bool is_free = free_step >= min_step && free_step <= max_step;
      const float step = std::min(std::max(free_step, min_step), max_step);
      const float dlog_decay = has_dlog_decay ? inputs[3].f32()[i] : 0;
      const float dstep = has_dstep ? inputs[has_dlog_decay ? 4 : 3].f32()[i] : 0;
      const float da = is_free ? (dlog_decay * rate + dstep) * sigmoid(x) : 0;
      outputs[0].f32()[i] = da;
      da_log += static_cast<double>(dlog_decay) * rate * step;
      dbias += da;
    }
    outputs[1].f32()[h] = static_cast<float>(da_log);
    outputs[2].f32()[h] = static_cast<float>(dbias);
  }
}

Result<std::vector<Value>> DecayBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}

ShardingRule DecayBackward::sharding(Types inputs) const {
  const Axes gates{"position", "heads"}, of_head{"heads"};
  ShardingRule rule{{gates, of_head, of_head}, {gates, of_head, of_head}, {"position", "heads"}, {}, {{}}};
  while (rule.inputs.size() < inputs.size()) {
    rule.linear[0].push_back(static_cast<int>(rule.inputs.size()));
    rule.inputs.push_back(gates);
  }
  return rule;
}
Cost DecayBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(20.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> DecayBackward::samples() {
  auto sample = [](const char* name, float low, float high, bool has_dlog_decay, bool has_dstep) {
    const bool is_cut = std::string_view(name) == "cut";
    const int64_t T = is_cut ? 12 : 6, H = is_cut ? 12 : 22;
    Sample out = make_sample(name, std::make_shared<DecayBackward>(low, high, has_dlog_decay, has_dstep), {},
                             random_tensor({T, H}, 1, 6), random_tensor({H}, 2), random_tensor({H}, 3),
                             random_tensor({T, H}, 4));
    if (has_dlog_decay && has_dstep) out.inputs.push_back(random_tensor({T, H}, 5));
    return out;
  };
  return sample_list(sample("both", 0, kNoLimit, true, true), sample("limited", 0.5f, 3, true, true),
                     sample("cut", 0, kNoLimit, true, true), sample("log_decay", 0, kNoLimit, true, false),
                     sample("step", 0, kNoLimit, false, true));
}

}  // namespace hearth
