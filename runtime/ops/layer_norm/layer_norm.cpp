// layer_norm and layer_norm_backward: rules.
#include "runtime/ops/layer_norm/layer_norm.h"

#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth {
namespace {

struct Moments {
  double mean, inverse_deviation;
};

Moments moments(const float* x, int64_t n, float eps) {
  double sum = 0, squares = 0;
  for (int64_t c = 0; c < n; ++c) sum += x[c];
  const double mean = sum / static_cast<double>(n);
  for (int64_t c = 0; c < n; ++c) squares += (x[c] - mean) * (x[c] - mean);
  return {mean, 1.0 / std::sqrt(squares / static_cast<double>(n) + eps)};
}

Result<void> check_width(std::string_view op, Types inputs, size_t operand, const char* name) {
  if (inputs[operand].shape.last() == inputs[0].shape.last()) return {};
  return shape_error(op, name, "as wide as x", inputs[0].to_string() + " and " + inputs[operand].to_string());
}

}  // namespace

std::string_view LayerNorm::name() const {
  return "layer_norm";
}
std::string LayerNorm::attributes() const {
  return fmt::format("eps={}", eps);
}

Result<std::vector<TensorType>> LayerNorm::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 2}, {"w", Accept::f32, 1}, {"b", Accept::f32, 1}}));
  TRY(check_width("layer_norm", inputs, 1, "w"));
  TRY(check_width("layer_norm", inputs, 2, "b"));
  return std::vector{inputs[0]};
}

void LayerNorm::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].dim(1);
  const float *w = inputs[1].f32(), *b = inputs[2].f32();
  for (int64_t t = 0; t < n_rows; ++t) {
    const float* x = inputs[0].f32() + t * n;
    const Moments m = moments(x, n, eps);
    for (int64_t c = 0; c < n; ++c)
      outputs[0].f32()[t * n + c] = static_cast<float>((x[c] - m.mean) * m.inverse_deviation * w[c] + b[c]);
  }
}

Result<std::vector<Value>> LayerNorm::gradient(GradientBuilder& g) const {
  std::vector<Value> out = g.b.apply_all(std::make_shared<LayerNormBackward>(eps), {g.input(0), g.input(1), g.grad()});
  out.resize(3);
  out[2] = g.needs(2) ? g.b.apply(std::make_shared<SumRows>(), {g.grad()}) : Value();
  return out;
}

ShardingRule LayerNorm::sharding(Types) const {
  return {{{"position", ""}, {""}, {""}}, {{"position", ""}}, {"position"}};
}

Cost LayerNorm::cost(Types inputs, Types outputs) const {
  return streaming_cost(8.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> LayerNorm::samples() {
  return sample_list(make_sample("small", std::make_shared<LayerNorm>(1e-5f), {0, 1, 2}, random_tensor({6, 40}, 1),
                                 random_tensor({40}, 2), random_tensor({40}, 3)),
                     make_sample("odd", std::make_shared<LayerNorm>(1e-12f), {}, random_tensor({3, 77}, 4, 8),
                                 random_tensor({77}, 5), random_tensor({77}, 6)),
                     make_sample("cut", std::make_shared<LayerNorm>(1e-5f), {}, random_tensor({12, 36}, 7),
                                 random_tensor({36}, 8), random_tensor({36}, 9)));
}

std::string_view LayerNormBackward::name() const {
  return "layer_norm_backward";
}
std::string LayerNormBackward::attributes() const {
  return fmt::format("eps={}", eps);
}

Result<std::vector<TensorType>> LayerNormBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 2}, {"w", Accept::f32, 1}, {"dy", Accept::f32, 2}}));
  TRY(check_width("layer_norm_backward", inputs, 1, "w"));
  TRY(check_same_shape("layer_norm_backward", inputs, 0, 2));
  return std::vector{inputs[0], inputs[1]};
}

// With z = (x - mean) r and v = w dy: dx = r (v - mean(v) - z mean(v z)); dw = sum over t of dy z.
void LayerNormBackward::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].dim(1);
  const float* w = inputs[1].f32();
  std::vector<double> dw(static_cast<size_t>(n), 0);
  for (int64_t t = 0; t < n_rows; ++t) {
    const float *x = inputs[0].f32() + t * n, *dy = inputs[2].f32() + t * n;
    const Moments m = moments(x, n, eps);
    double mean_v = 0, mean_vz = 0;
    for (int64_t c = 0; c < n; ++c) {
      const double z = (x[c] - m.mean) * m.inverse_deviation, v = static_cast<double>(w[c]) * dy[c];
      mean_v += v / static_cast<double>(n);
      mean_vz += v * z / static_cast<double>(n);
      dw[static_cast<size_t>(c)] += dy[c] * z;
    }
    for (int64_t c = 0; c < n; ++c) {
      const double z = (x[c] - m.mean) * m.inverse_deviation, v = static_cast<double>(w[c]) * dy[c];
      outputs[0].f32()[t * n + c] = static_cast<float>(m.inverse_deviation * (v - mean_v - z * mean_vz));
    }
  }
  for (int64_t c = 0; c < n; ++c) outputs[1].f32()[c] = static_cast<float>(dw[static_cast<size_t>(c)]);
}

Result<std::vector<Value>> LayerNormBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule LayerNormBackward::sharding(Types) const {
  return {{{"position", ""}, {""}, {"position", ""}}, {{"position", ""}, {""}}, {"position"}, {}, {{2}}};
}

Cost LayerNormBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(16.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> LayerNormBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<LayerNormBackward>(1e-5f), {}, random_tensor({6, 40}, 1),
                                 random_tensor({40}, 2), random_tensor({6, 40}, 3)),
                     make_sample("tall", std::make_shared<LayerNormBackward>(1e-5f), {}, random_tensor({77, 100}, 4),
                                 random_tensor({100}, 5), random_tensor({77, 100}, 6)),
                     make_sample("cut", std::make_shared<LayerNormBackward>(1e-5f), {}, random_tensor({12, 36}, 7),
                                 random_tensor({36}, 8), random_tensor({12, 36}, 9)));
}

}  // namespace hearth
