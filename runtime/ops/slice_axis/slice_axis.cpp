// slice_axis and pad_axis: rules.
#include "runtime/ops/slice_axis/slice_axis.h"

#include <algorithm>
#include <cstring>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Result<void> check_axis(std::string_view op, Types inputs, int axis) {
  if (inputs.size() != 1) return shape_error(op, "operand count", "1", std::to_string(inputs.size()));
  if (axis >= 0 && axis < inputs[0].shape.rank()) return {};
  return shape_error(op, "x", fmt::format("of at least {} axes", axis + 1), inputs[0].to_string());
}

// Every axis but the one that is sliced.
ShardingRule others_sharding(Types inputs, int axis) {
  ShardingRule rule = elementwise_sharding(inputs, 1);
  rule.cuts.erase(rule.cuts.begin() + axis);
  rule.linear = {{0}};
  return rule;
}

}  // namespace

std::string_view SliceAxis::name() const {
  return "slice_axis";
}
std::string SliceAxis::attributes() const {
  return fmt::format("axis={} begin={} n={}", axis, begin, n);
}
Result<std::vector<TensorType>> SliceAxis::infer(Types inputs) const {
  TRY(check_axis(name(), inputs, axis));
  const Dtype dtype = inputs[0].dtype;
  if (dtype != Dtype::f32 && dtype != Dtype::bf16 && dtype != Dtype::i32)
    return shape_error(name(), "x", "f32, bf16 or i32", inputs[0].to_string());
  if (begin < 0 || n < 1 || begin > inputs[0].shape[axis] - n)
    return shape_error(name(), "x", fmt::format("at least {} on axis {}", begin + n, axis), inputs[0].to_string());
  TensorType out = inputs[0];
  out.shape[axis] = n;
  return std::vector{out};
}

void SliceAxis::reference(Views inputs, Views outputs) const {
  const AxisRows from = axis_rows(inputs[0].shape(), axis), to = axis_rows(outputs[0].shape(), axis);
  for (int64_t row = 0; row < from.n_rows; ++row)
    std::copy_n(inputs[0].i32() + row * from.width + begin * from.inner, to.width, outputs[0].i32() + row * to.width);
}

Result<std::vector<Value>> SliceAxis::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<PadAxis>(axis, begin, g.b.type(g.input(0)).shape[axis]), {g.grad()})};
}
ShardingRule SliceAxis::sharding(Types inputs) const {
  return others_sharding(inputs, axis);
}

Cost SliceAxis::cost(Types, Types outputs) const {
  return {0, static_cast<double>(outputs[0].bytes()), static_cast<double>(outputs[0].bytes())};
}

std::vector<Sample> SliceAxis::samples() {
  Tensor ids = random_ids(24, 100, 4);
  return sample_list(make_sample("middle", std::make_shared<SliceAxis>(2, 3, 5), {0}, random_tensor({4, 2, 12}, 1)),
                     make_sample("one_head", std::make_shared<SliceAxis>(1, 8, 32), {0}, random_tensor({3, 40}, 2)),
                     make_sample("heads", std::make_shared<SliceAxis>(1, 1, 2), {0}, random_tensor({5, 4, 6}, 3)),
                     make_sample("ids", std::make_shared<SliceAxis>(0, 5, 12), {}, std::move(ids)),
                     make_sample("cut", std::make_shared<SliceAxis>(2, 3, 4), {}, random_tensor({12, 12, 8}, 3)));
}

std::string_view PadAxis::name() const {
  return "pad_axis";
}
std::string PadAxis::attributes() const {
  return fmt::format("axis={} begin={} size={}", axis, begin, size);
}
Result<std::vector<TensorType>> PadAxis::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  TRY(check_axis(name(), inputs, axis));
  if (begin < 0 || begin > size - inputs[0].shape[axis])
    return shape_error(name(), "x", fmt::format("at most {} on axis {}", size - begin, axis), inputs[0].to_string());
  TensorType out = inputs[0];
  out.shape[axis] = size;
  return std::vector{out};
}

void PadAxis::reference(Views inputs, Views outputs) const {
  const AxisRows from = axis_rows(inputs[0].shape(), axis), to = axis_rows(outputs[0].shape(), axis);
  std::fill_n(outputs[0].f32(), outputs[0].shape().n_elements(), 0.0f);
  for (int64_t row = 0; row < from.n_rows; ++row)
    std::copy_n(inputs[0].f32() + row * from.width, from.width, outputs[0].f32() + row * to.width + begin * to.inner);
}

Result<std::vector<Value>> PadAxis::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<SliceAxis>(axis, begin, g.b.type(g.input(0)).shape[axis]), {g.grad()})};
}
ShardingRule PadAxis::sharding(Types inputs) const {
  return others_sharding(inputs, axis);
}

Cost PadAxis::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> PadAxis::samples() {
  return sample_list(make_sample("middle", std::make_shared<PadAxis>(2, 3, 12), {0}, random_tensor({4, 2, 5}, 1)),
                     make_sample("one_head", std::make_shared<PadAxis>(1, 8, 40), {0}, random_tensor({3, 32}, 2)),
                     make_sample("heads", std::make_shared<PadAxis>(1, 1, 4), {0}, random_tensor({5, 2, 6}, 4)),
                     make_sample("cut", std::make_shared<PadAxis>(2, 3, 8), {}, random_tensor({12, 12, 4}, 3)));
}

}  // namespace hearth
