// e4m3 weights with scales: DeepSeek's and Qwen's block scales ("fp8"), one a row ("fbgemm_fp8").
#include <cstring>

#include "model_store/formats/quantised/parts.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::quantised {
namespace {

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

std::vector<int64_t> without_ones(const std::vector<int64_t>& shape, size_t from) {
  std::vector<int64_t> out;
  for (size_t i = from; i < shape.size(); ++i)
    if (shape[i] != 1) out.push_back(shape[i]);
  return out;
}

void put_blocks(const StoredTensor& weight, const Scales& scales, const ScaleGrid& grid, int64_t cols, int64_t row,
                std::byte* out) {
  auto* blocks = reinterpret_cast<BlockF8x128*>(out) + row * (cols / 128);
  for (int64_t k = 0; k < cols; k += 128, ++blocks) {
    blocks->scale = scales[grid.index(row, k)];
    std::memcpy(blocks->q, weight.bytes.data() + row * cols + k, 128);
  }
}

void put_floats(const StoredTensor& weight, const Scales& scales, const ScaleGrid& grid, int64_t cols, int64_t row,
                std::byte* out) {
  auto* values = reinterpret_cast<float*>(out) + row * cols;
  const auto* source = reinterpret_cast<const uint8_t*>(weight.bytes.data()) + row * cols;
  for (int64_t k = 0; k < cols; ++k) values[k] = scales[grid.index(row, k)] * e4m3_to_float(source[k]);
}

Result<std::vector<int64_t>> block_size(const Json& config) {
  auto found = config.find("weight_block_size");
  if (found == config.end() || found->is_null()) return std::vector<int64_t>{};
  auto block = TRY(json_get<std::vector<int64_t>>(config, "weight_block_size"));
  if (block.size() != 2 || block[0] < 1 || block[1] < 1)
    return error(Code::invalid_argument, "weight_block_size must be two positive numbers");
  return block;
}

}  // namespace

Result<ScaleGrid> scale_grid(const StoredTensor& weight, const StoredTensor& scale, const std::vector<int64_t>& block) {
  if (weight.shape.size() < 2 || weight.n_elements() == 0)
    return error(Code::unimplemented, "tensor \"{}\" has scales but is no matrix", weight.name);
  const size_t rank = weight.shape.size();
  const int64_t rows = weight.shape[rank - 2], cols = weight.shape[rank - 1];
  int64_t n_matrices = 1;
  for (size_t i = 0; i + 2 < rank; ++i) n_matrices *= weight.shape[i];
  const auto n_scales = static_cast<int64_t>(scale.n_elements());
  auto is = [&](int64_t grid_rows, int64_t grid_cols) { return n_scales == n_matrices * grid_rows * grid_cols; };
  if (!block.empty() && is(ceil_div(rows, block[0]), ceil_div(cols, block[1])))
    return ScaleGrid{rows, block[0], block[1], ceil_div(rows, block[0]), ceil_div(cols, block[1])};
  if (is(1, 1)) return ScaleGrid{rows, rows, cols, 1, 1};
  if (n_scales == 1) return ScaleGrid{rows * n_matrices, rows * n_matrices, cols, 1, 1};
  if (is(rows, 1)) return ScaleGrid{rows, 1, cols, rows, 1};
  const auto sizes = without_ones(scale.shape, rank - 2);
  if (sizes.size() == 2 && sizes[0] == rows && cols % sizes[1] == 0 && is(rows, sizes[1]))
    return ScaleGrid{rows, 1, cols / sizes[1], rows, sizes[1]};
  return error(
      Code::unimplemented,
      "\"{}\" of shape [{}] does not fit the weight's [{}]: one scale per tensor, row, group or block is known",
      scale.name, fmt::join(scale.shape, ", "), fmt::join(weight.shape, ", "));
}

Result<void> add_e4m3_weight(Gatherer& out, const StoredTensor& weight, const StoredTensor& scale,
                             const std::vector<int64_t>& block) {
  TRY(require_dtype(weight, {"F8_E4M3"}));
  const Scales scales = TRY(Scales::of(scale));
  const ScaleGrid grid = TRY(scale_grid(weight, scale, block));
  const int64_t cols = weight.shape.back(), rows = static_cast<int64_t>(weight.n_elements()) / cols;
  const bool fits = cols % 128 == 0 && grid.col_block % 128 == 0;
  out.add(weight.name, fits ? Dtype::f8x128 : Dtype::f32, weight.shape, [=](std::byte* bytes) -> Result<void> {
    for_row_tiles(rows, kTileRows, [&](int64_t first, int64_t n) {
      for (int64_t row = first; row < first + n; ++row)
        (fits ? put_blocks : put_floats)(weight, scales, grid, cols, row, bytes);
    });
    return {};
  });
  return {};
}

Result<void> gather_fp8(Gatherer& out, const Json& config) {
  const auto block = TRY(block_size(config));
  for (const char* ending : {".weight_scale_inv", ".weight_scale"})
    for (const std::string& name : out.with_ending(ending)) {
      const StoredTensor* scale = TRY(out.take_required(name + ending));
      const StoredTensor* weight = TRY(out.take_required(name + ".weight"));
      out.take(name + ".input_scale");  // for quantising activations, which are not quantised here
      out.take(name + ".activation_scale");
      TRY(add_e4m3_weight(out, *weight, *scale, block));
    }
  // Experts in one tensor: X and X_scale_inv.
  for (const std::string& name : out.with_ending("_scale_inv")) {
    if (name.ends_with(".weight")) continue;
    const StoredTensor* scale = TRY(out.take_required(name + "_scale_inv"));
    const StoredTensor* weight = TRY(out.take_required(name));
    TRY(add_e4m3_weight(out, *weight, *scale, block));
  }
  return {};
}

}  // namespace hearth::quantised
