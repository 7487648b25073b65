// reshape: rules.
#include "runtime/ops/reshape/reshape.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Reshape::name() const {
  return "reshape";
}
std::string Reshape::attributes() const {
  return "shape=" + shape.to_string();
}

Result<std::vector<TensorType>> Reshape::infer(Types inputs) const {
  if (inputs.size() != 1) return shape_error("reshape", "operand count", "1", std::to_string(inputs.size()));
  if (inputs[0].shape.n_elements() != shape.n_elements())
    return shape_error("reshape", "x", "as many elements as " + shape.to_string(), inputs[0].to_string());
  return std::vector{TensorType{inputs[0].dtype, shape}};
}

void Reshape::reference(Views inputs, Views outputs) const {
  if (inputs[0].data != outputs[0].data)
    std::memcpy(outputs[0].data, inputs[0].data, static_cast<size_t>(inputs[0].type.bytes()));
}

Result<std::vector<Value>> Reshape::gradient(GradientBuilder& g) const {
  return std::vector{g.b.reshape(g.grad(), g.b.type(g.input(0)).shape)};
}

// Only the outermost axis keeps its meaning, and only when it is unchanged.
Sharding Reshape::sharding(Types inputs) const {
  std::vector<std::string> in(static_cast<size_t>(inputs[0].shape.rank())), out(static_cast<size_t>(shape.rank()));
  if (in.empty() || out.empty() || inputs[0].shape[0] != shape[0]) return {{in}, {out}, {}};
  in[0] = out[0] = "T";
  return {{in}, {out}, {"T"}};
}

std::shared_ptr<const Op> Reshape::shard(std::string_view, int, int n, Types) const {
  Shape part = shape;
  part[0] /= n;
  return std::make_shared<Reshape>(part);
}

Cost Reshape::cost(Types, Types) const {
  return {};
}

std::vector<Sample> Reshape::samples() {
  return sample_list(make_sample("split", std::make_shared<Reshape>(Shape{6, 4, 5}), {0}, random_tensor({6, 20}, 1)),
                     make_sample("cut", std::make_shared<Reshape>(Shape{12, 6, 6}), {}, random_tensor({12, 36}, 2)));
}

}  // namespace hearth
