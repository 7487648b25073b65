// Cuts, and rules by name.
#include "runtime/ops/sharding.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"
#include "runtime/tensor/box.h"

namespace hearth {
namespace {

// [0, n) in `parts` ranges.
int64_t share(int64_t n, int64_t index, int64_t parts) {
  return n * index / parts;
}

// More parts than groups: each group gets a run of parts.
Bounds within_groups(int64_t n_groups, int64_t group, int n) {
  Bounds bounds;
  for (int64_t g = 0; g < n_groups; ++g) {
    const int64_t n_here = share(n, g + 1, n_groups) - share(n, g, n_groups);
    if (n_here > group) return {};
    for (int64_t i = 0; i < n_here; ++i) bounds.push_back(g * group + share(group, i, n_here));
  }
  bounds.push_back(n_groups * group);
  return bounds;
}

int find_axis(const Axes& axes, const std::string& name) {
  const auto found = std::ranges::find_if(axes, [&](const AxisName& axis) { return axis.name == name; });
  return found == axes.end() ? -1 : static_cast<int>(found - axes.begin());
}

std::vector<OperandRule> cut_by_name(const std::vector<Axes>& operands, const std::string& name, Spread otherwise) {
  std::vector<OperandRule> out;
  for (const Axes& axes : operands) {
    const int axis = find_axis(axes, name);
    out.push_back(axis < 0 ? OperandRule{otherwise}
                           : OperandRule{Spread::cut, axis, axes[static_cast<size_t>(axis)].unit});
  }
  return out;
}

}  // namespace

Bounds even_bounds(int64_t size, int64_t unit, int n, int64_t group) {
  CHECK(unit > 0 && n > 0 && group > 0);
  if (size % (unit * group) != 0) return {};
  const int64_t n_groups = size / unit / group;
  Bounds bounds;
  if (n_groups >= n)
    for (int i = 0; i <= n; ++i) bounds.push_back(share(n_groups, i, n) * group);
  else
    bounds = within_groups(n_groups, group, n);
  for (int64_t& bound : bounds) bound *= unit;
  return bounds;
}

bool keeps_groups(const Bounds& bounds, int64_t group) {
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    const bool is_whole = bounds[i] % group == 0 && bounds[i + 1] % group == 0;
    if (!is_whole && bounds[i] / group != (bounds[i + 1] - 1) / group) return false;
  }
  return true;
}

std::string Sharding::to_string() const {
  switch (spread) {
    case Spread::whole:
      return "whole";
    case Spread::cut:
      return fmt::format("cut on axis {} at {}", axis, fmt::join(bounds, ", "));
    case Spread::sum:
      return "a sum";
    case Spread::max:
      return "a maximum";
    case Spread::log_sum_exp:
      return "a log-sum-exp";
    case Spread::owned:
      return "owned by rows";
    case Spread::any:
      return "any";
  }
  return "";
}

TensorType part_type(TensorType whole, const Sharding& sharding, int index) {
  if (sharding.spread != Spread::cut) return whole;
  const auto i = static_cast<size_t>(index);
  whole.shape[sharding.axis] = sharding.bounds[i + 1] - sharding.bounds[i];
  return whole;
}

Tensor part_of(const TensorView& whole, const Sharding& sharding, int index) {
  CHECK(!sharding.is_partial());
  Tensor part(part_type(whole.type, sharding, index));
  Box box = Box::whole(whole.shape());
  const auto i = static_cast<size_t>(index);
  if (sharding.spread == Spread::cut) box = box.range(sharding.axis, sharding.bounds[i], sharding.bounds[i + 1]);
  copy_box(whole, box, part.view(), {});
  return part;
}

void put_part(const TensorView& part, const Sharding& sharding, int index, const TensorView& whole) {
  CHECK(!sharding.is_partial());
  std::array<int64_t, kMaxRank> begin{};
  if (sharding.spread == Spread::cut)
    begin[static_cast<size_t>(sharding.axis)] = sharding.bounds[static_cast<size_t>(index)];
  copy_box(part, Box::whole(part.shape()), whole, begin);
}

std::vector<Alternative> alternatives(const ShardingRule& rule) {
  std::vector<Alternative> out;
  for (const std::string& name : rule.cuts) {
    const auto local = rule.local.find(name);
    Alternative cut;
    cut.axis = name;
    cut.inputs = cut_by_name(rule.inputs, name, Spread::whole);
    cut.outputs = cut_by_name(rule.outputs, name, Spread::sum);
    if (local != rule.local.end()) cut.local = local->second;
    out.push_back(std::move(cut));
  }
  auto all = [&](Spread in) {
    Alternative passes;
    passes.inputs.assign(rule.inputs.size(), OperandRule{in});
    passes.outputs.assign(rule.outputs.size(), OperandRule{in});
    return passes;
  };
  if (rule.keeps_zeros) out.push_back(all(Spread::owned));
  for (const std::vector<int>& inputs : rule.linear) {
    Alternative sums = all(Spread::sum);
    for (size_t i = 0; i < sums.inputs.size(); ++i)
      if (std::ranges::find(inputs, static_cast<int>(i)) == inputs.end()) sums.inputs[i] = OperandRule{Spread::whole};
    out.push_back(std::move(sums));
  }
  out.insert(out.end(), rule.more.begin(), rule.more.end());
  return out;
}

}  // namespace hearth
