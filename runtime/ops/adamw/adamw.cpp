// adamw: rules.
#include "runtime/ops/adamw/adamw.h"

#include <array>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view AdamW::name() const {
  return "adamw";
}
std::string AdamW::attributes() const {
  return fmt::format("beta1={} beta2={} eps={} weight_decay={}", a.beta1, a.beta2, a.eps, a.weight_decay);
}

Result<std::vector<TensorType>> AdamW::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"w", Accept::f32, 0},
                      {"m", Accept::f32, 0},
                      {"v", Accept::f32, 0},
                      {"grad", Accept::f32, 0},
                      {"scale", Accept::f32, 1},
                      {"rates", Accept::f32, 1}}));
  for (size_t i : {1u, 2u, 3u}) TRY(check_same_shape(name(), inputs, 0, i));
  if (inputs[4].shape[0] != 1) return shape_error(name(), "scale", "[1]", inputs[4].to_string());
  if (inputs[5].shape[0] != 3) return shape_error(name(), "rates", "[3]", inputs[5].to_string());
  return std::vector{inputs[0], inputs[0], inputs[0]};
}

void AdamW::reference(Views inputs, Views outputs) const {
  const float *w = inputs[0].f32(), *m = inputs[1].f32(), *v = inputs[2].f32(), *rates = inputs[5].f32();
  const float scale = *inputs[4].f32();
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i) {
    float new_w = w[i], new_m = m[i], new_v = v[i];
    if (std::isfinite(scale)) {
      const float g = scale * inputs[3].f32()[i];
      new_m += (1 - a.beta1) * (g - new_m);
      new_v += (1 - a.beta2) * (g * g - new_v);
      const float direction = new_m * rates[1] / (std::sqrt(new_v * rates[2]) + a.eps);
      new_w -= rates[0] * (direction + a.weight_decay * new_w);
    }
    outputs[0].f32()[i] = new_w, outputs[1].f32()[i] = new_m, outputs[2].f32()[i] = new_v;
  }
}

Result<std::vector<Value>> AdamW::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it stands after backward");
}

ShardingRule AdamW::sharding(Types inputs) const {
  ShardingRule rule = elementwise_sharding(inputs.first(4), 3);
  rule.inputs.push_back({""});
  rule.inputs.push_back({""});
  return rule;
}

Cost AdamW::cost(Types inputs, Types outputs) const {
  return streaming_cost(15 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> AdamW::samples() {
  auto sample = [](const char* name, Attributes a, float scale, Shape shape) {
    Tensor scales(TensorType{Dtype::f32, {1}}), rates(TensorType{Dtype::f32, {3}}), v = random_tensor(shape, 3, 0.1f);
    for (int64_t i = 0; i < shape.n_elements(); ++i) v.f32()[i] = std::fabs(v.f32()[i]);
    *scales.f32() = scale;
    for (int i = 0; i < 3; ++i) rates.f32()[i] = std::array{0.01f, 1.5f, 2.25f}[static_cast<size_t>(i)];
    return make_sample(name, std::make_shared<AdamW>(a), {}, random_tensor(shape, 1), random_tensor(shape, 2, 0.1f),
                       std::move(v), random_tensor(shape, 4), std::move(scales), std::move(rates));
  };
  return sample_list(sample("plain", {}, 1, {5, 33}), sample("decays", {0.8f, 0.999f, 1e-6f, 0.1f}, 0.5f, {70}),
                     sample("skipped", {.weight_decay = 0.1f}, NAN, {5, 33}),
                     sample("infinite", {.weight_decay = 0.1f}, INFINITY, {3}), sample("cut", {}, 1, {12, 36}));
}

}  // namespace hearth
