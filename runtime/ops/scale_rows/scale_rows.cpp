// scale_rows and row_dots: rules.
#include "runtime/ops/scale_rows/scale_rows.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view ScaleRows::name() const {
  return "scale_rows";
}
std::string ScaleRows::attributes() const {
  return "";
}

Result<std::vector<TensorType>> ScaleRows::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 2}, {"s", Accept::f32, 2}}));
  const Shape wanted{inputs[0].shape[0], 1};
  if (!(inputs[1].shape == wanted)) return shape_error(name(), "s", wanted.to_string(), inputs[1].to_string());
  return std::vector{inputs[0]};
}

void ScaleRows::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1);
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i)
    outputs[0].f32()[i] = inputs[0].f32()[i] * inputs[1].f32()[i / C];
}

Result<std::vector<Value>> ScaleRows::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<ScaleRows>(), {g.grad(), g.input(1)}),
                     g.needs(1) ? g.b.apply(std::make_shared<RowDots>(), {g.grad(), g.input(0)}) : Value()};
}

ShardingRule ScaleRows::sharding(Types) const {
  return {{{"position", "model"}, {"position", ""}}, {{"position", "model"}}, {"position", "model"}, {}, {{0}, {1}}};
}
Cost ScaleRows::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> ScaleRows::samples() {
  return sample_list(
      make_sample("small", std::make_shared<ScaleRows>(), {0, 1}, random_tensor({5, 22}, 1), random_tensor({5, 1}, 2)),
      make_sample("cut", std::make_shared<ScaleRows>(), {}, random_tensor({12, 36}, 3), random_tensor({12, 1}, 4)));
}

std::string_view RowDots::name() const {
  return "row_dots";
}
std::string RowDots::attributes() const {
  return "";
}

Result<std::vector<TensorType>> RowDots::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 2}, {"b", Accept::f32, 2}}));
  TRY(check_same_shape(name(), inputs, 0, 1));
  return std::vector{TensorType{inputs[0].dtype, {inputs[0].shape[0], 1}}};
}

void RowDots::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    double sum = 0;
    for (int64_t i = t * C; i < (t + 1) * C; ++i) sum += static_cast<double>(inputs[0].f32()[i]) * inputs[1].f32()[i];
    outputs[0].f32()[t] = static_cast<float>(sum);
  }
}

Result<std::vector<Value>> RowDots::gradient(GradientBuilder& g) const {
  auto by = [&](int other) {
    return g.needs(1 - other) ? g.b.apply(std::make_shared<ScaleRows>(), {g.input(other), g.grad()}) : Value();
  };
  return std::vector{by(1), by(0)};
}

ShardingRule RowDots::sharding(Types) const {
  return {{{"position", "model"}, {"position", "model"}}, {{"position", ""}}, {"position", "model"}, {}, {{0}, {1}}};
}
Cost RowDots::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> RowDots::samples() {
  return sample_list(
      make_sample("small", std::make_shared<RowDots>(), {0, 1}, random_tensor({6, 22}, 1), random_tensor({6, 22}, 2)),
      make_sample("cut", std::make_shared<RowDots>(), {}, random_tensor({12, 36}, 3), random_tensor({12, 36}, 4)));
}

}  // namespace hearth
