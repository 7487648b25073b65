// split_axis and merge_axes: rules.
#include "runtime/ops/split_axis/split_axis.h"

#include <algorithm>
#include <cstring>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

void copy_bytes(Views inputs, Views outputs) {
  if (inputs[0].data != outputs[0].data)
    std::memcpy(outputs[0].data, inputs[0].data, static_cast<size_t>(inputs[0].type.bytes()));
}

// Names for the axes; those of `axis`, where it is in two, are its own for the outer and "" for the inner one.
Axes names(int rank, int axis, int64_t inner, bool in_two) {
  Axes out;
  for (int i = 0; i < rank; ++i) {
    out.emplace_back("a" + std::to_string(i), i == axis && !in_two ? std::max<int64_t>(inner, 1) : 1);
    if (i == axis && in_two) out.emplace_back("");
  }
  return out;
}

ShardingRule of_names(const Axes& in, const Axes& out) {
  ShardingRule rule{{in}, {out}};
  for (const AxisName& axis : in)
    if (!axis.name.empty()) rule.cuts.push_back(axis.name);
  rule.linear = {{0}};
  rule.keeps_zeros = true;
  return rule;
}

}  // namespace

std::string_view SplitAxis::name() const {
  return "split_axis";
}
std::string SplitAxis::attributes() const {
  return fmt::format("axis={} inner={}", axis, inner);
}

Result<std::vector<TensorType>> SplitAxis::infer(Types inputs) const {
  if (inputs.size() != 1) return shape_error(name(), "operand count", "1", std::to_string(inputs.size()));
  const Shape& x = inputs[0].shape;
  if (axis < 0 || axis >= x.rank() || x.rank() == kMaxRank || inner < 1 || x[axis] % inner != 0)
    return shape_error(name(), "x", fmt::format("of whole parts of {} on axis {}", inner, axis), inputs[0].to_string());
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    shape.append(i == axis ? x[i] / inner : x[i]);
    if (i == axis) shape.append(inner);
  }
  return std::vector{TensorType{inputs[0].dtype, shape}};
}

void SplitAxis::reference(Views inputs, Views outputs) const {
  copy_bytes(inputs, outputs);
}

Result<std::vector<Value>> SplitAxis::gradient(GradientBuilder& g) const {
  return std::vector{g.b.merge(g.grad(), axis)};
}

ShardingRule SplitAxis::sharding(Types inputs) const {
  const int rank = inputs[0].shape.rank();
  return of_names(names(rank, axis, inner, false), names(rank, axis, inner, true));
}

Cost SplitAxis::cost(Types, Types) const {
  return {};
}

std::vector<Sample> SplitAxis::samples() {
  return sample_list(make_sample("columns", std::make_shared<SplitAxis>(1, 5), {0}, random_tensor({6, 20}, 1)),
                     make_sample("rows", std::make_shared<SplitAxis>(0, 3), {0}, random_tensor({6, 4, 2}, 2)),
                     make_sample("ones", std::make_shared<SplitAxis>(1, 1), {0}, random_tensor({3, 7}, 3)),
                     make_sample("cut", std::make_shared<SplitAxis>(1, 3), {}, random_tensor({12, 36, 12}, 4)));
}

std::string_view MergeAxes::name() const {
  return "merge_axes";
}
std::string MergeAxes::attributes() const {
  return fmt::format("axis={}", axis);
}

Result<std::vector<TensorType>> MergeAxes::infer(Types inputs) const {
  if (inputs.size() != 1) return shape_error(name(), "operand count", "1", std::to_string(inputs.size()));
  const Shape& x = inputs[0].shape;
  if (axis < 0 || axis + 1 >= x.rank())
    return shape_error(name(), "x", fmt::format("of at least {} axes", axis + 2), inputs[0].to_string());
  Shape shape;
  for (int i = 0; i < x.rank(); ++i)
    if (i != axis + 1) shape.append(i == axis ? x[i] * x[i + 1] : x[i]);
  return std::vector{TensorType{inputs[0].dtype, shape}};
}

void MergeAxes::reference(Views inputs, Views outputs) const {
  copy_bytes(inputs, outputs);
}

Result<std::vector<Value>> MergeAxes::gradient(GradientBuilder& g) const {
  return std::vector{g.b.split(g.grad(), axis, g.b.type(g.input(0)).shape[axis + 1])};
}

ShardingRule MergeAxes::sharding(Types inputs) const {
  const Shape& x = inputs[0].shape;
  return of_names(names(x.rank() - 1, axis, x[axis + 1], true), names(x.rank() - 1, axis, x[axis + 1], false));
}

Cost MergeAxes::cost(Types, Types) const {
  return {};
}

std::vector<Sample> MergeAxes::samples() {
  return sample_list(make_sample("columns", std::make_shared<MergeAxes>(1), {0}, random_tensor({6, 4, 5}, 1)),
                     make_sample("rows", std::make_shared<MergeAxes>(0), {0}, random_tensor({6, 4, 2}, 2)),
                     make_sample("cut", std::make_shared<MergeAxes>(1), {}, random_tensor({12, 12, 3}, 3)));
}

}  // namespace hearth
