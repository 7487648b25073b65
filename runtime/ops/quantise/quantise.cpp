// quantise: rules.
#include "runtime/ops/quantise/quantise.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Quantise::name() const {
  return "quantise";
}
std::string Quantise::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Quantise::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  if (inputs[0].shape.last() % dtype_info(Dtype::q8_0).block_elements != 0)
    return shape_error("quantise", "x", "whole blocks of 32 along its last axis", inputs[0].to_string());
  return std::vector{TensorType{Dtype::q8_0, inputs[0].shape}};
}

void Quantise::reference(Views inputs, Views outputs) const {
  from_float(Dtype::q8_0, inputs[0].f32(), outputs[0].data, inputs[0].shape().n_elements());
}

Result<std::vector<Value>> Quantise::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "rounding has none; training reads whole activations");
}

ShardingRule Quantise::sharding(Types inputs) const {
  return elementwise_sharding(inputs, 1);
}

Cost Quantise::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Quantise::samples() {
  auto op = std::make_shared<Quantise>();
  Tensor halves = random_tensor({2, 64}, 3);  // levels that lie between two integers, zeros, and the largest last
  for (int i = 0; i < 64; ++i) halves.f32()[i] = static_cast<float>(i % 32 - 16) + 0.5f;
  for (int i = 0; i < 32; ++i) halves.f32()[64 + i] = 0;
  halves.f32()[31] = -127, halves.f32()[63] = 127;
  return sample_list(make_sample("rows", op, {}, random_tensor({12, 160}, 1, 3)),
                     make_sample("tiny", op, {}, random_tensor({1, 32}, 2, 1e-5f)),
                     make_sample("halves", op, {}, std::move(halves)));
}

}  // namespace hearth
