// GPTQ: qweight [in * bits / 32, out] packs neighbours of a column, qzeros [groups, out * bits / 32] packs neighbours
// of a row, scales [groups, out]. Version 1 stores zero points less one. With act order, g_idx says each input's group.
#include <algorithm>

#include "model_store/formats/quantised/parts.h"

namespace hearth::quantised {
namespace {

struct Layout {
  int bits = 4;
  int zero_shift = 1;  // added to stored zero points
  int64_t group_size = -1;
  bool is_symmetric = true;
};

Result<Layout> layout_of(const Json& config) {
  Layout out;
  out.bits = static_cast<int>(TRY(json_get<int64_t>(config, "bits")));
  out.group_size = TRY(json_get_or<int64_t>(config, "group_size", -1));
  out.is_symmetric = TRY(json_get_or<bool>(config, "sym", true));
  const auto format = TRY(json_get_or<std::string>(config, "checkpoint_format", "gptq"));
  if (out.bits != 2 && out.bits != 4 && out.bits != 8)
    return error(Code::unimplemented, "GPTQ with {} bits is not supported; 2, 4 and 8 are", out.bits);
  if (format != "gptq" && format != "gptq_v2")
    return error(Code::unimplemented, "GPTQ weights packed as \"{}\" are not supported; \"gptq\" and \"gptq_v2\" are",
                 format);
  if (format == "gptq_v2") out.zero_shift = 0;
  return out;
}

// The groups of g_idx, or none where they are runs of `group` neighbours.
Result<std::vector<int32_t>> shuffled_groups(const StoredTensor* g_idx, int64_t cols, int64_t group, int64_t n_groups) {
  std::vector<int32_t> out;
  if (!g_idx) return out;
  TRY(require_dtype(*g_idx, {"I32"}));
  TRY(require_shape(*g_idx, {cols}));
  const Words words(*g_idx);
  bool in_order = true;
  for (int64_t k = 0; k < cols; ++k) {
    const auto value = static_cast<int32_t>(words[k]);
    if (value < 0 || value >= n_groups)
      return error(Code::data_loss, "tensor \"{}\" names group {}, there are {}", g_idx->name, value, n_groups);
    in_order &= value == k / group;
    out.push_back(value);
  }
  if (in_order) out.clear();
  return out;
}

Result<void> add_weight(Gatherer& out, const std::string& name, const Layout& layout) {
  const StoredTensor* q = TRY(out.take_required(name + ".qweight"));
  const StoredTensor* zeros = TRY(out.take_required(name + ".qzeros"));
  const StoredTensor* scale = TRY(out.take_required(name + ".scales"));
  const StoredTensor* g_idx = out.take(name + ".g_idx");
  TRY(require_dtype(*q, {"I32"}));
  TRY(require_dtype(*zeros, {"I32"}));
  const int per_word = 32 / layout.bits, mask = (1 << layout.bits) - 1, bits = layout.bits;
  if (q->shape.size() != 2 || scale->shape.size() != 2 || q->n_elements() == 0 || scale->n_elements() == 0)
    return error(Code::data_loss, "\"{}\": packed weights and scales must be matrices", name);
  IntegerWeight w;
  w.cols = q->shape[0] * per_word, w.rows = q->shape[1];
  const int64_t n_groups = scale->shape[0], rows = w.rows, cols = w.cols;
  w.group = layout.group_size > 0 ? layout.group_size : cols;
  if (n_groups != (cols + w.group - 1) / w.group || rows % per_word != 0)
    return error(Code::data_loss, "\"{}\" has {} groups of {} for {} inputs and {} outputs", name, n_groups, w.group,
                 cols, rows);
  TRY(require_shape(*zeros, {n_groups, rows / per_word}));
  TRY(require_shape(*scale, {n_groups, rows}));
  const Scales scales = TRY(Scales::of(*scale));
  w.group_of = TRY(shuffled_groups(g_idx, cols, w.group, n_groups));

  const Words packed(*q), packed_zeros(*zeros);
  auto zero = [=, shift = layout.zero_shift](int64_t group, int64_t row) {
    const uint32_t word = packed_zeros[group * (rows / per_word) + row / per_word];
    return static_cast<int>((word >> (row % per_word * bits)) & static_cast<uint32_t>(mask)) + shift;
  };
  // All weights of a model that is not symmetric get one dtype, whatever zero points they happen to have.
  int least = layout.zero_shift, most = mask + layout.zero_shift;
  if (layout.is_symmetric) {
    least = most = zero(0, 0);
    for (int64_t g = 0; g < n_groups; ++g)
      for (int64_t n = 0; n < rows; ++n) least = std::min(least, zero(g, n)), most = std::max(most, zero(g, n));
  }
  w.low = -most, w.high = mask - least;
  w.scales_are_halves = scales.are_halves();
  w.scale = [scales, rows](int64_t row, int64_t group) { return scales[group * rows + row]; };
  w.levels = [=, group = w.group, group_of = w.group_of](int64_t first, int64_t n, int16_t* levels) {
    std::vector<int> zero_of(static_cast<size_t>(n * n_groups));
    for (int64_t g = 0; g < n_groups; ++g)
      for (int64_t i = 0; i < n; ++i) zero_of[static_cast<size_t>(g * n + i)] = zero(g, first + i);
    for (int64_t k = 0; k < cols; ++k) {
      const int64_t g = group_of.empty() ? k / group : group_of[static_cast<size_t>(k)];
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t word = packed[k / per_word * rows + first + i];
        const int q_value = static_cast<int>((word >> (k % per_word * bits)) & static_cast<uint32_t>(mask));
        levels[i * cols + k] = static_cast<int16_t>(q_value - zero_of[static_cast<size_t>(g * n + i)]);
      }
    }
  };
  add_integer_weight(out, name + ".weight", std::move(w));
  return {};
}

}  // namespace

Result<void> gather_gptq(Gatherer& out, const Json& config) {
  const Layout layout = TRY(layout_of(config));
  for (const std::string& name : out.with_ending(".qweight")) TRY(add_weight(out, name, layout));
  return {};
}

}  // namespace hearth::quantised
