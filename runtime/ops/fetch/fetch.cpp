// fetch: rules.
#include "runtime/ops/fetch/fetch.h"

#include <cstring>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Fetch::name() const {
  return "fetch";
}
std::string Fetch::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Fetch::infer(Types inputs) const {
  if (inputs.size() != 1) return shape_error(name(), "operand count", "1", std::to_string(inputs.size()));
  return std::vector{inputs[0]};
}

// run_reference() rounds what is bf16.
void Fetch::reference(Views inputs, Views outputs) const {
  const TensorView &x = inputs[0], &y = outputs[0];
  if (!(x.type == y.type)) return to_float(x.type.dtype, x.data, y.f32(), x.shape().n_elements());
  if (x.type.bytes() > 0) std::memcpy(y.data, x.data, static_cast<size_t>(x.type.bytes()));
}

Result<std::vector<Value>> Fetch::gradient(GradientBuilder& g) const {
  return std::vector{g.grad()};
}

// Each part brings its own; of the last axis, whole blocks.
ShardingRule Fetch::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{0}};
  const AxisName blocks("a" + std::to_string(inputs[0].shape.rank() - 1), dtype_info(inputs[0].dtype).block_elements);
  rule.inputs[0].back() = rule.outputs[0].back() = blocks;
  return rule;
}

Cost Fetch::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> Fetch::samples() {
  auto op = std::make_shared<Fetch>();
  return sample_list(make_sample("vector", op, {0}, random_tensor({37}, 1)),
                     make_sample("cut", op, {}, random_tensor({12, 36}, 2)),
                     make_sample("blocks", op, {}, random_weights(Dtype::q4_k, {12, 1024}, 3)),
                     make_sample("half", op, {}, random_weights(Dtype::bf16, {5, 7, 9}, 4)),
                     make_sample("ids", op, {}, random_ids(16, 100, 5)));
}

}  // namespace hearth
