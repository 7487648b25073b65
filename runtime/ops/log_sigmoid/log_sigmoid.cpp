// log_sigmoid: rules.
#include "runtime/ops/log_sigmoid/log_sigmoid.h"

#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/ops/sigmoid/sigmoid.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view LogSigmoid::name() const {
  return "log_sigmoid";
}
std::string LogSigmoid::attributes() const {
  return "";
}

Result<std::vector<TensorType>> LogSigmoid::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void LogSigmoid::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = -softplus(-inputs[0].f32()[i]);
}

// dx = dy σ(-x).
Result<std::vector<Value>> LogSigmoid::gradient(GradientBuilder& g) const {
  const Value other = g.b.apply(std::make_shared<Sigmoid>(), {g.b.scale(g.input(0), -1)});
  return std::vector{g.b.mul(g.grad(), other)};
}

ShardingRule LogSigmoid::sharding(Types inputs) const {
  return elementwise_sharding(inputs, 1);
}

Cost LogSigmoid::cost(Types inputs, Types outputs) const {
  return streaming_cost(20.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> LogSigmoid::samples() {
  auto op = std::make_shared<LogSigmoid>();
  return sample_list(make_sample("small", op, {0}, random_tensor({4, 36}, 1)),
                     make_sample("far", op, {}, random_tensor({67}, 2, 30)),
                     make_sample("cut", op, {}, random_tensor({12, 36}, 3)));
}

}  // namespace hearth
