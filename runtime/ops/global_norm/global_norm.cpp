// global_norm: rules.
#include "runtime/ops/global_norm/global_norm.h"

#include <cmath>
#include <limits>

#include "runtime/ops/collective/collective.h"
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view GlobalNorm::name() const {
  return "global_norm";
}
std::string GlobalNorm::attributes() const {
  return fmt::format("max_norm={}", max_norm);
}

NormAndScale norm_and_scale(double sum_of_squares, float loss, double max_norm) {
  const double norm = std::sqrt(sum_of_squares);
  double scale = max_norm > 0 && norm > max_norm ? max_norm / norm : 1;
  if (!std::isfinite(static_cast<float>(norm)) || !std::isfinite(loss))
    scale = std::numeric_limits<double>::quiet_NaN();
  return {static_cast<float>(norm), static_cast<float>(scale)};
}

Result<std::vector<TensorType>> GlobalNorm::infer(Types inputs) const {
  if (inputs.size() < 2)
    return error(Code::invalid_argument, "global_norm: a loss and at least one gradient are needed, got {} operands",
                 inputs.size());
  for (const TensorType& type : inputs)
    if (type.dtype != Dtype::f32) return shape_error(name(), "each operand", "f32", type.to_string());
  const TensorType scalar{Dtype::f32, {1}};
  if (!(inputs[0] == scalar)) return shape_error(name(), "loss", "f32[1]", inputs[0].to_string());
  return std::vector{scalar, scalar};
}

void GlobalNorm::reference(Views inputs, Views outputs) const {
  double sum = 0;
  for (const TensorView& gradient : inputs.subspan(1))
    for (int64_t i = 0; i < gradient.shape().n_elements(); ++i)
      sum += static_cast<double>(gradient.f32()[i]) * static_cast<double>(gradient.f32()[i]);
  const NormAndScale out = norm_and_scale(sum, *inputs[0].f32(), max_norm);
  *outputs[0].f32() = out.norm;
  *outputs[1].f32() = out.scale;
}

Result<std::vector<Value>> GlobalNorm::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it stands after backward");
}

namespace {

// The length of the gradients that are cut, of all parts, as numbers; then the whole ones beside those: each logical
// tensor once.
std::vector<Value> norm_of_parts(const Part& p, double max_norm) {
  std::vector<Value> cut{p.inputs[0]}, whole{p.inputs[0]};
  for (size_t i = 1; i < p.inputs.size(); ++i) (p.shardings[i].is_whole() ? whole : cut).push_back(p.inputs[i]);
  if (cut.size() > 1) {
    Bounds one_each;
    for (int i = 0; i <= p.n; ++i) one_each.push_back(i);
    const Value mine = p.b.apply_all(std::make_shared<GlobalNorm>(0), std::move(cut))[0];
    whole.push_back(p.b.apply(std::make_shared<AllGather>(p.mesh, p.index, p.n, 0, one_each), {mine}));
  }
  return p.b.apply_all(std::make_shared<GlobalNorm>(max_norm), std::move(whole));
}

}  // namespace

ShardingRule GlobalNorm::sharding(Types inputs) const {
  Alternative as_they_are;
  as_they_are.axis = "any";
  as_they_are.inputs.assign(inputs.size(), {Spread::any});
  as_they_are.inputs[0] = {};
  as_they_are.outputs.resize(2);
  as_they_are.nodes = [most = max_norm](const Part& p) { return norm_of_parts(p, most); };
  return {std::vector(inputs.size(), Axes()), {{""}, {""}}, {}, {}, {}, false, {as_they_are}};
}

Cost GlobalNorm::cost(Types inputs, Types outputs) const {
  double flops = 0;
  for (const TensorType& type : inputs) flops += 2 * static_cast<double>(type.shape.n_elements());
  return streaming_cost(flops, inputs, outputs);
}

std::vector<Sample> GlobalNorm::samples() {
  auto sample = [](const char* name, double max_norm, auto... gradients) {
    Tensor loss(TensorType{Dtype::f32, {1}});
    *loss.f32() = 2;
    return make_sample(name, std::make_shared<GlobalNorm>(max_norm), {}, std::move(loss), std::move(gradients)...);
  };
  return sample_list(sample("one", 0, random_tensor({5, 33}, 1)),
                     sample("clipped", 0.5, random_tensor({7}, 2), random_tensor({300, 333}, 3), random_tensor({1}, 4)),
                     sample("short", 100, random_tensor({3, 3}, 5), random_tensor({9}, 6)));
}

}  // namespace hearth
