// swiglu_clamped and swiglu_clamped_backward: rules.
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"

#include <algorithm>

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {
namespace {

std::string to_text(const ClampedSwiglu& form) {
  return fmt::format("alpha={} limit={} offset={}", form.alpha, form.limit, form.offset);
}

Result<void> check_form(std::string_view op, const ClampedSwiglu& form) {
  if (form.limit > 0 && std::isfinite(form.alpha) && std::isfinite(form.offset)) return {};
  return shape_error(op, "the form", "a positive limit and finite numbers", to_text(form));
}

}  // namespace

std::string_view SwigluClamped::name() const {
  return "swiglu_clamped";
}
std::string SwigluClamped::attributes() const {
  return to_text(form);
}

Result<std::vector<TensorType>> SwigluClamped::infer(Types inputs) const {
  TRY(check_form("swiglu_clamped", form));
  TRY(check_operands(*this, inputs, {{"gate", Accept::f32, 0}, {"up", Accept::f32, 0}}));
  TRY(check_same_shape("swiglu_clamped", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void SwigluClamped::reference(Views inputs, Views outputs) const {
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i) {
    const float g = std::min(inputs[0].f32()[i], form.limit);
    const float u = std::clamp(inputs[1].f32()[i], -form.limit, form.limit);
    outputs[0].f32()[i] = (u + form.offset) * g * sigmoid(form.alpha * g);
  }
}

Result<std::vector<Value>> SwigluClamped::gradient(GradientBuilder& g) const {
  return g.b.apply_all(std::make_shared<SwigluClampedBackward>(form), {g.input(0), g.input(1), g.grad()});
}

ShardingRule SwigluClamped::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost SwigluClamped::cost(Types inputs, Types outputs) const {
  return streaming_cost(10.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SwigluClamped::samples() {
  return sample_list(
      make_sample("both_sides_of_the_limit", std::make_shared<SwigluClamped>(ClampedSwiglu{1.702f, 7, 1}), {0, 1},
                  random_tensor({4, 44}, 1, 11), random_tensor({4, 44}, 12, 11)),
      make_sample("no_offset", std::make_shared<SwigluClamped>(ClampedSwiglu{1, 2.5f, 0}), {0, 1},
                  random_tensor({3, 20}, 3, 4), random_tensor({3, 20}, 4, 4)),
      make_sample("cut", std::make_shared<SwigluClamped>(ClampedSwiglu{1.702f, 7, 1}), {}, random_tensor({12, 36}, 5),
                  random_tensor({12, 36}, 6)));
}

std::string_view SwigluClampedBackward::name() const {
  return "swiglu_clamped_backward";
}
std::string SwigluClampedBackward::attributes() const {
  return to_text(form);
}

Result<std::vector<TensorType>> SwigluClampedBackward::infer(Types inputs) const {
  TRY(check_form("swiglu_clamped_backward", form));
  TRY(check_operands(*this, inputs, {{"gate", Accept::f32, 0}, {"up", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("swiglu_clamped_backward", inputs, 0, 1));
  TRY(check_same_shape("swiglu_clamped_backward", inputs, 0, 2));
  return std::vector{inputs[0], inputs[0]};
}

// Nothing flows through a bound that is exceeded.
void SwigluClampedBackward::reference(Views inputs, Views outputs) const {
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i) {
    const float gate = inputs[0].f32()[i], up = inputs[1].f32()[i], dy = inputs[2].f32()[i];
    const float g = std::min(gate, form.limit), u = std::clamp(up, -form.limit, form.limit);
    const float s = sigmoid(form.alpha * g);
    outputs[0].f32()[i] = gate > form.limit ? 0 : dy * (u + form.offset) * (s + form.alpha * g * s * (1 - s));
    outputs[1].f32()[i] = std::fabs(up) > form.limit ? 0 : dy * g * s;
  }
}

Result<std::vector<Value>> SwigluClampedBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule SwigluClampedBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 2);
  rule.linear = {{2}};
  return rule;
}

Cost SwigluClampedBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(18.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SwigluClampedBackward::samples() {
  return sample_list(
      make_sample("small", std::make_shared<SwigluClampedBackward>(ClampedSwiglu{1.702f, 7, 1}), {},
                  random_tensor({4, 44}, 1, 11), random_tensor({4, 44}, 2, 11), random_tensor({4, 44}, 3)),
      make_sample("cut", std::make_shared<SwigluClampedBackward>(ClampedSwiglu{1.702f, 7, 1}), {},
                  random_tensor({12, 36}, 4), random_tensor({12, 36}, 5), random_tensor({12, 36}, 6)));
}

}  // namespace hearth
