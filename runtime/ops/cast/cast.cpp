// cast: rules.
#include "runtime/ops/cast/cast.h"

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

bool is_activation(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::bf16;
}

}  // namespace

std::string_view Cast::name() const {
  return "cast";
}
std::string Cast::attributes() const {
  return fmt::format("to={}", dtype_info(to).name);
}

Result<std::vector<TensorType>> Cast::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::cache, 0}}));
  if (!is_activation(inputs[0].dtype)) return shape_error(name(), "x", "f32 or bf16", inputs[0].to_string());
  if (!is_activation(to)) return shape_error(name(), "y", "f32 or bf16", dtype_info(to).name);
  return std::vector{TensorType{to, inputs[0].shape}};
}

// run_reference() rounds.
void Cast::reference(Views inputs, Views outputs) const {
  to_float(inputs[0].type.dtype, inputs[0].data, outputs[0].f32(), inputs[0].shape().n_elements());
}

Result<std::vector<Value>> Cast::gradient(GradientBuilder& g) const {
  return std::vector{g.b.cast(g.grad(), g.b.type(g.input(0)).dtype)};
}

ShardingRule Cast::sharding(Types inputs) const {
  return elementwise_sharding(inputs, 1);
}

Cost Cast::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> Cast::samples() {
  auto down = std::make_shared<Cast>(Dtype::bf16), up = std::make_shared<Cast>(Dtype::f32);
  Tensor extremes = random_tensor({9}, 4, 1e30f);
  extremes.f32()[0] = 0x1.01p0f;  // halfway: to the even neighbour
  extremes.f32()[1] = 0x1.03p0f;
  extremes.f32()[2] = -1e-42f;
  extremes.f32()[3] = -0.0f;
  return sample_list(make_sample("down", down, {}, random_tensor({7, 37}, 1)),
                     make_sample("up", up, {}, random_weights(Dtype::bf16, {7, 37}, 2)),
                     make_sample("same", up, {0}, random_tensor({5}, 3)),
                     make_sample("extremes", down, {}, std::move(extremes)),
                     make_sample("cut", down, {}, random_tensor({12, 36}, 5)));
}

}  // namespace hearth
