// Parameters cut by the names of their axes.
#include "runtime/architectures/tensor_parallel.h"

#include <algorithm>
#include <numeric>

namespace hearth {
namespace {

// Where the axis is cut: at the least common multiple of a head and, on the last axis, a block.
Bounds bounds_of(const ParameterSpec& spec, size_t axis, Dtype dtype, int n) {
  const ParameterAxis& named = spec.axes[axis];
  const bool is_last = axis + 1 == spec.axes.size();
  const int64_t block = is_last ? dtype_info(dtype).block_elements : 1;
  if (named.unit < 1) return {};
  const int64_t unit = std::lcm(named.unit, block);
  return even_bounds(spec.shape[static_cast<int>(axis)], unit, n,
                     std::max<int64_t>(1, named.group * named.unit / unit));
}

Sharding sharding_of(const ParameterSpec& spec, Dtype dtype, const std::vector<std::string>& axes, int n) {
  for (const std::string& wanted : axes)
    for (size_t axis = 0; axis < spec.axes.size(); ++axis) {
      if (spec.axes[axis].name != wanted) continue;
      Bounds bounds = bounds_of(spec, axis, dtype, n);
      if (!bounds.empty()) return Sharding::cut(static_cast<int>(axis), std::move(bounds));
    }
  return {};
}

}  // namespace

std::vector<std::string> tensor_parallel_axes() {
  return {"expert", "heads", "kv_heads", "ffn", "vocabulary"};
}

LeafShardings cut_parameters(const std::vector<ParameterSpec>& parameters, const DtypeOf& dtype_of,
                             const std::vector<std::string>& axes, int n) {
  LeafShardings out;
  for (const ParameterSpec& spec : parameters) {
    const Sharding sharding = sharding_of(spec, dtype_of(spec), axes, n);
    if (!sharding.is_whole()) out[spec.role] = sharding;
  }
  return out;
}

}  // namespace hearth
