// rms_norm and rms_norm_backward: rules.
#include "runtime/ops/rms_norm/rms_norm.h"

#include <cmath>
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view RmsNorm::name() const {
  return "rms_norm";
}
std::string RmsNorm::attributes() const {
  return fmt::format("eps={}", eps);
}

namespace {

Result<void> check_norm(std::string_view op, Types inputs) {
  if (inputs[1].shape.last() != inputs[0].shape.last())
    return shape_error(op, "w", "as wide as x", inputs[0].to_string() + " and " + inputs[1].to_string());
  return {};
}

double inverse_rms(const float* x, int64_t n, float eps) {
  double sum = 0;
  for (int64_t c = 0; c < n; ++c) sum += static_cast<double>(x[c]) * x[c];
  return 1.0 / std::sqrt(sum / static_cast<double>(n) + eps);
}

}  // namespace

Result<std::vector<TensorType>> RmsNorm::infer(Types inputs) const {
  if (inputs.size() == 1) {
    TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
    return std::vector{inputs[0]};
  }
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"w", Accept::f32, 1}}));
  TRY(check_norm("rms_norm", inputs));
  return std::vector{inputs[0]};
}

void RmsNorm::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].shape().n_rows(), n = inputs[0].shape().last();
  const float* w = inputs.size() > 1 ? inputs[1].f32() : nullptr;
  for (int64_t t = 0; t < n_rows; ++t) {
    const float* x = inputs[0].f32() + t * n;
    const float r = static_cast<float>(inverse_rms(x, n, eps));
    for (int64_t c = 0; c < n; ++c) outputs[0].f32()[t * n + c] = x[c] * r * (w ? w[c] : 1);
  }
}

Result<std::vector<Value>> RmsNorm::gradient(GradientBuilder& g) const {
  auto backward = std::make_shared<RmsNormBackward>(eps);
  if (g.n_inputs() == 1) return std::vector{g.b.apply(backward, {g.input(0), g.grad()})};
  return g.b.apply_all(backward, {g.input(0), g.input(1), g.grad()});
}

ShardingRule RmsNorm::sharding(Types inputs) const {
  ShardingRule rule = rows_sharding(inputs.first(1), 1);
  if (inputs.size() > 1) rule.inputs.push_back({""});
  return rule;
}

Cost RmsNorm::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> RmsNorm::samples() {
  auto op = std::make_shared<RmsNorm>(1e-5f);
  return sample_list(make_sample("small", op, {0, 1}, random_tensor({6, 40}, 1), random_tensor({40}, 2)),
                     make_sample("one_row", op, {}, random_tensor({1, 2048}, 3, 4), random_tensor({2048}, 4)),
                     make_sample("zeros", op, {}, random_tensor({2, 33}, 5, 0), random_tensor({33}, 6)),
                     make_sample("no_weight", op, {0}, random_tensor({5, 33}, 7)),
                     make_sample("heads", op, {0, 1}, random_tensor({3, 2, 20}, 10), random_tensor({20}, 11)),
                     make_sample("cut", op, {}, random_tensor({12, 12, 36}, 8), random_tensor({36}, 9)));
}

std::string_view RmsNormBackward::name() const {
  return "rms_norm_backward";
}
std::string RmsNormBackward::attributes() const {
  return fmt::format("eps={}", eps);
}

Result<std::vector<TensorType>> RmsNormBackward::infer(Types inputs) const {
  if (inputs.size() == 2) {
    TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
    TRY(check_same_shape("rms_norm_backward", inputs, 0, 1));
    return std::vector{inputs[0]};
  }
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"w", Accept::f32, 1}, {"dy", Accept::f32, 0}}));
  TRY(check_norm("rms_norm_backward", inputs));
  TRY(check_same_shape("rms_norm_backward", inputs, 0, 2));
  return std::vector{inputs[0], inputs[1]};
}

// With r = 1/rms: dx = r (w dy) - r³/C · x · Σ(w dy x), dw = Σ_t x r dy.
void RmsNormBackward::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].shape().n_rows(), n = inputs[0].shape().last();
  const bool has_w = inputs.size() > 2;
  const std::vector<float> ones(has_w ? 0 : static_cast<size_t>(n), 1.0f);
  const float* w = has_w ? inputs[1].f32() : ones.data();
  std::vector<double> dw(static_cast<size_t>(n), 0.0);
  for (int64_t t = 0; t < n_rows; ++t) {
    const float *x = inputs[0].f32() + t * n, *dy = inputs.back().f32() + t * n;
    const double r = inverse_rms(x, n, eps);
    double dot = 0;
    for (int64_t c = 0; c < n; ++c) dot += static_cast<double>(w[c]) * dy[c] * x[c];
    const double k = r * r * r * dot / static_cast<double>(n);
    for (int64_t c = 0; c < n; ++c) {
      outputs[0].f32()[t * n + c] = static_cast<float>(r * w[c] * dy[c] - k * x[c]);
      dw[static_cast<size_t>(c)] += x[c] * r * dy[c];
    }
  }
  for (int64_t c = 0; has_w && c < n; ++c) outputs[1].f32()[c] = static_cast<float>(dw[static_cast<size_t>(c)]);
}

Result<std::vector<Value>> RmsNormBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}

ShardingRule RmsNormBackward::sharding(Types inputs) const {
  ShardingRule rule = rows_sharding(inputs.first(1), 1);
  if (inputs.size() > 2) rule.inputs.push_back({""}), rule.outputs.push_back({""});
  rule.linear = {{static_cast<int>(rule.inputs.size())}};
  rule.inputs.push_back(rule.inputs[0]);
  return rule;
}

Cost RmsNormBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(11.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> RmsNormBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<RmsNormBackward>(1e-5f), {}, random_tensor({6, 40}, 1),
                                 random_tensor({40}, 2), random_tensor({6, 40}, 3)),
                     make_sample("tall", std::make_shared<RmsNormBackward>(1e-5f), {}, random_tensor({77, 100}, 4),
                                 random_tensor({100}, 5), random_tensor({77, 100}, 6)),
                     make_sample("no_weight", std::make_shared<RmsNormBackward>(1e-5f), {}, random_tensor({6, 40}, 7),
                                 random_tensor({6, 40}, 8)),
                     make_sample("cut", std::make_shared<RmsNormBackward>(1e-5f), {}, random_tensor({12, 12, 36}, 9),
                                 random_tensor({36}, 10), random_tensor({12, 12, 36}, 11)));
}

}  // namespace hearth
