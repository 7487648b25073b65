// l2_norm and l2_norm_backward: rules.
#include "runtime/ops/l2_norm/l2_norm.h"

#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

double sum_of(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t c = 0; c < n; ++c) sum += static_cast<double>(a[c]) * b[c];
  return sum;
}

std::vector<Tensor> sample_rows(int which) {
  std::vector<Tensor> out;
  out.push_back(random_tensor({5, 3, 12}, 1));
  out.push_back(random_tensor({4, 133}, 2, 30));
  out.push_back(random_tensor({2, 16}, 3, 0));
  out.push_back(random_tensor({12, 12, 8}, 4));
  std::vector<Tensor> one;
  one.push_back(std::move(out[static_cast<size_t>(which)]));
  return one;
}

}  // namespace

std::string_view L2Norm::name() const {
  return "l2_norm";
}
std::string L2Norm::attributes() const {
  return fmt::format("eps={} scale={}", eps, scale);
}

Result<std::vector<TensorType>> L2Norm::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void L2Norm::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().last();
  for (int64_t row = 0; row < inputs[0].shape().n_rows(); ++row) {
    const float* x = inputs[0].f32() + row * n;
    const double r = scale / std::sqrt(sum_of(x, x, n) + eps);
    for (int64_t c = 0; c < n; ++c) outputs[0].f32()[row * n + c] = static_cast<float>(x[c] * r);
  }
}

Result<std::vector<Value>> L2Norm::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<L2NormBackward>(eps, scale), {g.input(0), g.grad()})};
}
ShardingRule L2Norm::sharding(Types inputs) const {
  return rows_sharding(inputs, 1);
}
Cost L2Norm::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> L2Norm::samples() {
  return sample_list(Sample{"small", std::make_shared<L2Norm>(1e-6f, 0.5f), sample_rows(0), {0}},
                     Sample{"wide", std::make_shared<L2Norm>(1e-6f, 2.0f), sample_rows(1), {}},
                     Sample{"cut", std::make_shared<L2Norm>(1e-6f, 2.0f), sample_rows(3), {}},
                     Sample{"zeros", std::make_shared<L2Norm>(1e-6f, 1.0f), sample_rows(2), {}});
}

std::string_view L2NormBackward::name() const {
  return "l2_norm_backward";
}
std::string L2NormBackward::attributes() const {
  return fmt::format("eps={} scale={}", eps, scale);
}

Result<std::vector<TensorType>> L2NormBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape(name(), inputs, 0, 1));
  return std::vector{inputs[0]};
}

// With r = 1 / sqrt(Σ x² + eps): dx = scale r (dy - x r² Σ x dy).
void L2NormBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().last();
  for (int64_t row = 0; row < inputs[0].shape().n_rows(); ++row) {
    const float *x = inputs[0].f32() + row * n, *dy = inputs[1].f32() + row * n;
    const double r = 1 / std::sqrt(sum_of(x, x, n) + eps), k = r * r * sum_of(x, dy, n);
    for (int64_t c = 0; c < n; ++c) outputs[0].f32()[row * n + c] = static_cast<float>(scale * r * (dy[c] - k * x[c]));
  }
}

Result<std::vector<Value>> L2NormBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule L2NormBackward::sharding(Types inputs) const {
  ShardingRule rule = rows_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}
Cost L2NormBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(8.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> L2NormBackward::samples() {
  std::vector<Sample> out;
  for (const auto& [name, which] : {std::pair{"small", 0}, {"wide", 1}, {"cut", 3}}) {
    std::vector<Tensor> inputs = sample_rows(which);
    inputs.push_back(random_tensor(inputs[0].type().shape, 9));
    out.push_back({name, std::make_shared<L2NormBackward>(1e-6f, 0.5f), std::move(inputs), {}});
  }
  return out;
}

}  // namespace hearth
