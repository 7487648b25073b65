// mul: rules.
#include "runtime/ops/mul/mul.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Mul::name() const {
  return "mul";
}
std::string Mul::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Mul::infer(Types inputs) const {
  TRY(check_operands("mul", inputs, {{"a", Accept::f32, 0}, {"b", Accept::f32, 0}}));
  TRY(check_same_shape("mul", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void Mul::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = inputs[0].f32()[i] * inputs[1].f32()[i];
}

Result<std::vector<Value>> Mul::gradient(GradientBuilder& g) const {
  return std::vector{g.needs(0) ? g.b.mul(g.grad(), g.input(1)) : Value(),
                     g.needs(1) ? g.b.mul(g.grad(), g.input(0)) : Value()};
}

Sharding Mul::sharding(Types inputs) const {
  return elementwise_sharding(inputs, 1);
}
std::shared_ptr<const Op> Mul::shard(std::string_view, int, int, Types) const {
  return nullptr;
}

Cost Mul::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Mul::samples() {
  return sample_list(
      make_sample("small", std::make_shared<Mul>(), {0, 1}, random_tensor({4, 36}, 1), random_tensor({4, 36}, 2)));
}

}  // namespace hearth
