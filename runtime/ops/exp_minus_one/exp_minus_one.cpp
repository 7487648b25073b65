// exp_minus_one: rules.
#include "runtime/ops/exp_minus_one/exp_minus_one.h"

#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view ExpMinusOne::name() const {
  return "exp_minus_one";
}
std::string ExpMinusOne::attributes() const {
  return "";
}

Result<std::vector<TensorType>> ExpMinusOne::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void ExpMinusOne::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = std::expm1(inputs[0].f32()[i]);
}

// dx = dy (y + 1).
Result<std::vector<Value>> ExpMinusOne::gradient(GradientBuilder& g) const {
  return std::vector{g.b.add(g.b.mul(g.grad(), g.output(0)), g.grad())};
}

ShardingRule ExpMinusOne::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost ExpMinusOne::cost(Types inputs, Types outputs) const {
  return streaming_cost(20.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> ExpMinusOne::samples() {
  auto op = std::make_shared<ExpMinusOne>();
  return sample_list(make_sample("small", op, {0}, random_tensor({4, 36}, 1)),
                     make_sample("far", op, {}, random_tensor({67}, 2, 12)),
                     make_sample("cut", op, {}, random_tensor({12, 36}, 3)));
}

}  // namespace hearth
